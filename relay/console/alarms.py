"""Alarms: what needs somebody now, each with what to do about it; red never stands without that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from relay.console.figures import Wall
from relay.console.reading import moment, text
from relay.console.situation import MISSED, URGENT, AlertRow, Situation
from relay.console.words import Say

#: What the relay tells by itself and this page makes out from the figures, in the reader's language and with buttons.
_KNOWN = frozenset(
    {"held", "nobody", "refused", "channel_failing", "stopped", "redis", "journal", "no_worker", "clock"}
)


#: Alarms that wait for a person's word or call; the others are about what is broken.
FOR_PEOPLE = frozenset({"held", "held_more", "nobody", "refused", "stopped"})


@dataclass(frozen=True, slots=True)
class Button:
    """A way to act: ``ask`` is what the next page asks, about ``about``; without ``ask`` it only shows."""

    label: str
    ask: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm, or ``count`` of a kind.

    ``red`` is for what people are not told because of.  ``since`` is when it began, or what ``began`` says.
    """

    code: str
    title: str
    todo: str
    red: bool = True
    facts: tuple[str, ...] = ()
    quote: str = ""
    klass: str = ""
    since: datetime | None = None
    began: str = ""
    count: int = 1
    buttons: tuple[Button, ...] = ()


def alarms_of(now: Situation, say: Say, wall: Wall) -> list[Alarm]:
    """Return all alarms, red ones first, and among them what waits for a decision."""
    found = [
        *_switches(now, say),
        *_held(now, say, wall),
        *_nobody(now, say),
        *_refused(now, say),
        *_machinery(now, say, wall),
        *_channels(now, say),
        *_told(now),
    ]
    return sorted(found, key=lambda alarm: not alarm.red)


def broken_parts(now: Situation, wall: Wall) -> list[str]:
    """Return the names of what does not work: channels, and parts of the relay as keys of the words."""
    names = [channel.name for channel in now.channels if channel.broken]
    if not now.redis_up:
        names.append("redis")
    if now.journal.get("error"):
        names.append("journal")
    if not alive(now, wall):
        names.append("workers")
    return names


def alive(now: Situation, wall: Wall) -> int:
    """Return how many workers were heard of lately."""
    at = now.time or wall.now
    return sum(worker.seen is not None and (at - worker.seen).total_seconds() <= MISSED for worker in now.workers)


def name_of(alert: AlertRow) -> str:
    """Return what an alert is called in one line."""
    return ", ".join(filter(None, (alert.event, alert.areas))) or alert.alert_id


def _switches(now: Situation, say: Say) -> Iterator[Alarm]:
    if now.stopped is None:
        return
    reason = " · ".join(filter(None, (text(now.stopped.get("by")), text(now.stopped.get("reason")))))
    yield Alarm(
        code="stopped",
        title=say("stopped_title"),
        todo=say("stopped_todo"),
        facts=(reason,) if reason else (),
        since=moment(now.stopped.get("at")),
        buttons=(Button(say("resume_all"), "resume"),),
    )


def _held(now: Situation, say: Say, wall: Wall) -> Iterator[Alarm]:
    for alert in now.held:
        people = say("people", n=wall.count(alert.recipients)) if alert.recipients else ""
        status = say.state("status", alert.status or "Actual")
        yield Alarm(
            code="held",
            title=say("held_title"),
            todo=say("held_todo"),
            facts=tuple(filter(None, (status, people, alert.agency, say.state("why", alert.reason)))),
            quote=name_of(alert),
            klass=alert.klass,
            since=alert.received,
            buttons=(
                Button(say("approve"), "approve", alert.alert_id),
                Button(say("reject"), "reject", alert.alert_id),
                Button(say("show"), "", alert.alert_id),
            ),
        )
    rest = now.held_count - len(now.held)
    if rest > 0:
        title = say("held_more", n=wall.count(rest))
        yield Alarm(code="held_more", title=title, todo=say("held_more_todo"), count=rest)


def _nobody(now: Situation, say: Say) -> Iterator[Alarm]:
    for alert in now.alerts:
        if alert.real and alert.nobody:
            yield Alarm(
                code="nobody",
                title=say("nobody_title"),
                todo=say("nobody_todo"),
                facts=tuple(filter(None, (say.state("status", alert.status or "Actual"), alert.agency))),
                quote=name_of(alert),
                klass=alert.klass,
                since=alert.received,
                buttons=(Button(say("show"), "", alert.alert_id),),
            )


def _refused(now: Situation, say: Say) -> Iterator[Alarm]:
    for group in now.refused:
        if group.klass in URGENT:
            yield Alarm(
                code="refused",
                title=say("refused_title", agency=group.agency, n=group.count),
                todo=say("refused_todo"),
                facts=(", ".join(group.rules), say("would_be", **{"class": group.klass})),
                klass=group.klass,
                since=group.last,
            )


def _machinery(now: Situation, say: Say, wall: Wall) -> Iterator[Alarm]:
    if error := now.journal.get("error"):
        yield _alarm(say, "journal", quote=text(error))
    damaged = now.journal.get("damaged")
    if damaged:
        names = text(", ".join(map(str, damaged[:3])) if isinstance(damaged, list) else damaged)
        yield Alarm(code="damaged", title=say("damaged_title", names=names), todo=say("damaged_todo"))
    if not now.redis_up:
        yield _alarm(say, "redis", quote=text(now.redis.get("error")))
    if now.pending:
        n = wall.count(now.pending)
        yield Alarm(code="pending", title=say("pending_title", n=n), todo=say("pending_todo"), red=not now.redis_up)
    yield from _workers(now, say, wall)
    if not now.clock_trusted:
        yield _alarm(say, "clock")


def _alarm(say: Say, code: str, *, quote: str = "") -> Alarm:
    return Alarm(code=code, title=say(f"{code}_title"), todo=say(f"{code}_todo"), quote=quote)


def _workers(now: Situation, say: Say, wall: Wall) -> Iterator[Alarm]:
    # While Redis is away nobody's heartbeat can be heard, and that is said above.
    if not now.redis_up:
        return
    here, expected = alive(now, wall), max(now.workers_expected, len(now.workers))
    if not here:
        yield Alarm(code="worker", title=say("worker_none_title"), todo=say("worker_todo"))
    elif here < expected:
        title = say("worker_title", n=here, m=expected)
        yield Alarm(code="worker", title=title, todo=say("worker_some_todo"), red=False)


def _channels(now: Situation, say: Say) -> Iterator[Alarm]:
    for channel in now.channels:
        if channel.broken:
            yield Alarm(
                code="channel",
                title=say("channel_title", name=channel.name),
                todo=say("channel_todo"),
                quote=channel.error,
                since=channel.error_at,
                began=say("last_error"),
                buttons=(Button(say("pause"), "pause", channel.name),),
            )


def _told(now: Situation) -> Iterator[Alarm]:
    """Alarms of a newer relay than this page: better in English than not at all."""
    for row in now.told:
        code, message = text(row.get("code")), text(row.get("message"))
        if code not in _KNOWN and (message or code):
            yield Alarm(code=code, title=message or code, todo="", red=False)
