"""What the /status JSON says (design §18), read into values; whatever is missing or odd is shown as unknown.

The page must come up when half of the relay is down, so nothing here raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relay.console.reading import before, moment, part, rows, text, truth, whole
from relay.tracking.states import FIVE_WORDS

CLASSES = ("P0", "P1", "P2", "P3", "P4", "PX")
URGENT = frozenset({"P0", "P1"})
WORDS = ("acknowledged", "received", "on the way", "not reached", "unknown", "not sent")

#: A worker that was not heard of for more seconds than this is missed (``relay.tracking.status`` says the same).
MISSED = 5.0

_TELLS = frozenset({"Alert", "Update"})
_OVER = frozenset({"completed", "cancelled", "superseded", "expired", "rejected"})
_WORD_OF = {state.word: word for state, word in FIVE_WORDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert; ``words`` counts its deliveries in the words for people (:data:`WORDS`)."""

    alert_id: str
    klass: str
    state: str
    reason: str
    status: str
    kind: str
    event: str
    areas: str
    agency: str
    received: datetime | None
    recipients: int | None
    words: Mapping[str, int]
    simulated: bool

    @property
    def over(self) -> bool:
        """Whether nothing more will be sent for it."""
        return self.state in _OVER

    @property
    def real(self) -> bool:
        """Whether it is no drill and no test, and not posted with a test key."""
        return self.status in ("Actual", "") and not self.simulated

    @property
    def nobody(self) -> bool:
        """Whether it was meant for people and matched none."""
        return self.kind in _TELLS and self.state == "completed" and self.recipients == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """One channel; ``state`` is ``ok``, ``paused``, ``failing``, ``stopped`` (everything is) or ``unknown``."""

    name: str
    kind: str
    state: str
    per_second: float
    error: str
    error_at: datetime | None

    @property
    def broken(self) -> bool:
        """Whether nothing goes through it, against the operators' will."""
        return self.state == "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Refused posts of one agency for the same reason; ``klass`` is the highest that one of them would have had."""

    agency: str
    rules: tuple[str, ...]
    klass: str
    count: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits of one class; ``oldest`` is when the oldest came."""

    klass: str
    queued: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process and when it was last heard of."""

    name: str
    seen: datetime | None
    in_hand: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All of it.  ``time`` is when the figures were true; None for a part means that nobody knows."""

    time: datetime | None
    stale: bool
    told: Sequence[Mapping[str, Any]]
    alerts: Sequence[AlertRow]
    queues: Sequence[Queue]
    channels: Sequence[ChannelRow]
    held: Sequence[AlertRow]
    held_count: int
    refused: Sequence[Refused]
    refused_count: int
    stopped: Mapping[str, Any] | None
    redis: Mapping[str, Any]
    journal: Mapping[str, Any]
    clock_trusted: bool
    workers: Sequence[Worker]
    workers_expected: int

    @property
    def pending(self) -> int:
        """How many journalled records Redis has not taken yet."""
        return whole(self.redis.get("pending"))

    @property
    def redis_up(self) -> bool:
        """Whether Redis answers.  While it does not, nobody knows of alerts and queues."""
        return truth(self.redis.get("available"), otherwise=not self.stale)


def read(status: Mapping[str, Any]) -> Situation:
    """Return what the JSON says."""
    time = moment(status.get("time"))
    alerts = [_alert(row) for row in rows(status.get("alerts"))]
    refused = rows(status.get("refused"))
    held = [_alert(row) for row in rows(status.get("held"))] or [row for row in alerts if row.state == "held"]
    held_count = len(held) if isinstance(status.get("held"), list | dict) else whole(status.get("held"))
    return Situation(
        time=time,
        stale=truth(status.get("stale"), otherwise=False),
        told=rows(status.get("alarms")),
        alerts=sorted((row for row in alerts if row.state != "held"), key=_order),
        queues=_queues(status.get("classes"), time),
        channels=sorted(
            (_channel(row, time) for row in rows(status.get("channels"))),
            key=lambda channel: (not channel.broken, channel.state != "paused", channel.name),
        ),
        held=sorted(held, key=_order),
        held_count=max(held_count, len(held)),
        refused=_grouped(refused),
        refused_count=len(refused) if isinstance(status.get("refused"), list) else whole(status.get("refused")),
        stopped=_stopped(status.get("stopped")),
        redis=part(status.get("redis")),
        journal=part(status.get("journal")),
        clock_trusted=truth(status.get("clock_trusted"), otherwise=True),
        workers=[_worker(row, time) for row in rows(status.get("workers"))],
        workers_expected=whole(status.get("workers_expected")),
    )


def _alert(row: Mapping[str, Any]) -> AlertRow:
    counts = row.get("words") if isinstance(row.get("words"), Mapping) else row.get("counts")
    words = dict.fromkeys(WORDS, 0)
    for name, count in (counts if isinstance(counts, Mapping) else {}).items():
        word = _WORD_OF.get(name, str(name).replace("_", " "))
        words[word if word in words else "unknown"] += whole(count)
    # Before the plan is made nobody has been counted, and zero would read as "nobody".
    counted = row.get("state") not in ("held", "accepted") or whole(row.get("recipients")) > 0
    areas = row.get("areas")
    return AlertRow(
        alert_id=text(row.get("id")),
        klass=text(row.get("priority"), longest=8),
        state=text(row.get("state"), longest=24),
        reason=text(row.get("reason"), longest=60),
        status=text(row.get("status"), longest=24),
        kind=text(row.get("msgType"), longest=24),
        event=text(row.get("headline") or row.get("event") or row.get("identifier")),
        areas=text("; ".join(map(str, areas)) if isinstance(areas, list) else areas),
        agency=text(row.get("agency") or row.get("sender"), longest=60),
        received=moment(row.get("received") or row.get("at") or row.get("sent")),
        recipients=whole(row.get("recipients")) if counted else None,
        words=words,
        simulated=row.get("mode") == "test",
    )


def _order(row: AlertRow) -> tuple[bool, int, float]:
    """The worst first: what goes on before what is over, then by class, then the newest."""
    rank = CLASSES.index(row.klass) if row.klass in CLASSES else len(CLASSES)
    return row.over, rank, -(row.received.timestamp() if row.received else 0.0)


def _channel(row: Mapping[str, Any], time: datetime | None) -> ChannelRow:
    rate = row.get("per_second")
    return ChannelRow(
        name=text(row.get("name")),
        kind=text(row.get("kind")),
        state=text(row.get("state")) or "unknown",
        per_second=float(rate) if isinstance(rate, int | float) else 0.0,
        error=text(row.get("error")),
        error_at=before(time, row.get("error_age_s")),
    )


def _queues(value: object, time: datetime | None) -> list[Queue]:
    given = value if isinstance(value, Mapping) else {}
    queues = []
    for klass in CLASSES:
        row = given.get(klass)
        row = row if isinstance(row, Mapping) else {}
        queued = whole(row.get("queued"))
        queues.append(Queue(klass, queued, before(time, row.get("oldest_s")) if queued else None))
    return queues


def _grouped(given: Sequence[Mapping[str, Any]]) -> list[Refused]:
    groups: dict[tuple[str, tuple[str, ...]], Refused] = {}
    for row in given:
        rules = row.get("rules")
        names = tuple(text(rule, longest=24) for rule in rules[:4]) if isinstance(rules, list) else ()
        agency = text(row.get("agency"), longest=60)
        names = names or (text(row.get("problem"), longest=40),)
        at, klass = moment(row.get("time") or row.get("at")), text(row.get("priority"))
        old = groups.get((agency, names))
        groups[agency, names] = Refused(
            agency=agency,
            rules=names,
            klass=_worse(klass, old.klass) if old else klass,
            count=old.count + 1 if old else 1,
            last=max(filter(None, (at, old.last if old else None)), default=None),
        )
    return sorted(groups.values(), key=lambda group: (_rank(group.klass), -group.count))


def _worse(one: str, other: str) -> str:
    return min(one, other, key=_rank)


def _rank(klass: str) -> int:
    return CLASSES.index(klass) if klass in CLASSES else len(CLASSES)


def _stopped(value: object) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    return {"by": text(value) if isinstance(value, str) else ""} if value else None


def _worker(row: Mapping[str, Any], time: datetime | None) -> Worker:
    return Worker(text(row.get("id"), longest=40), before(time, row.get("age_s")), whole(row.get("in_hand")))
