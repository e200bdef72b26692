"""Scene 1: an earthquake in three languages, to nine people by fourteen ways, tracked to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from relay.demo import report
from relay.demo.alerts import earthquake, language_of, to_xml
from relay.demo.configuration import RECEIPT_DEADLINE
from relay.demo.faults import Fault
from relay.demo.paper import many, seconds, shown_path
from relay.demo.people import ANSWERS_BY_LINK, ANSWERS_BY_SMS, NO_RECEIPT, PEOPLE, Person, by_id, inside
from relay.demo.receivers import KINDS, Arrival, Comparison, Way, compare, ways
from relay.demo.relay_client import Posted
from relay.demo.stage import Stage, Verdict, count_line, open_deliveries

_SPOKEN: Final = ("ru", "kk", "en")
STATES: Final = {
    "acknowledged": "acknowledged",
    "delivered": "delivered",
    "delivered_unconfirmed": "unconfirmed",
    "failed": "failed",
    "possibly_sent": "possibly sent",
}
_SHOWN: Final = (
    ("rescue-7", "sms"),
    ("hospital-4", "webhook"),
    ("talgar", "sms"),
    ("school-12", "email"),
    ("aliya", "sms"),
    ("guest-house", "sms"),
    ("bakery-nan", "sms"),
)
_READING: Final = 1.0
"""Seconds that a person needs before he answers."""
_WIDTHS: Final = (20, 6, 8, 13, 7, 58, 8)
HEAD: Final = ("who", "in", "by", "state", "after", "what arrived", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One delivery: the relay's word beside what the receiver saw (None: nothing)."""

    person: Person
    kind: str
    state: str
    after: float
    arrival: Arrival | None

    @property
    def cells(self) -> tuple[str, ...]:
        """The columns of :data:`HEAD`."""
        arrival = self.arrival
        parts = many(arrival.parts, "part") if arrival is not None and self.kind == "sms" else ""
        return (
            self.person.name,
            languages(self.person, arrival),
            KINDS[self.kind],
            STATES.get(self.state, self.state),
            seconds(self.after),
            self._arrived(),
            parts,
        )

    def _arrived(self) -> str:
        if self.arrival is None:
            return "nothing"
        if self.person.id == NO_RECEIPT and self.state == "delivered_unconfirmed":
            return "accepted by the provider, no receipt: not called delivered"
        if self.arrival.signed:
            return "signature checked by the receiver"
        return self.arrival.text


def languages(person: Person, arrival: Arrival | None) -> str:
    """Return the language that arrived, and before it the one that was wanted if it is another: ``ky→ru``."""
    wanted, got = person.languages[0], language(arrival) if arrival is not None else "?"
    return wanted if wanted == got else f"{wanted}→{got}"


def language(arrival: Arrival) -> str:
    """Return the language of what arrived: as the message says it, else as it reads."""
    return arrival.language.partition("-")[0] or language_of(arrival.text)


def readable(person: Person) -> str:
    """Return the language that a person should get of those that the alert has."""
    return next((wanted for wanted in person.languages if wanted in _SPOKEN), _SPOKEN[0])


async def scene(stage: Stage) -> Verdict:
    """Post it, answer it by SMS and by link, wait for the end of every delivery, compare."""
    stage.quake = earthquake(stage.clock.now())
    stage.quake_xml = to_xml(stage.quake)
    mark, expected = stage.receivers.mark(), ways(inside())
    posted = await stage.post(stage.quake_xml)
    verdict = accepted(posted)
    if verdict.broken:
        return verdict
    stage.quake_id = posted.alert_id
    stage.expected += len(expected)
    await stage.until(
        lambda: len(stage.receivers.since(mark)) >= len(expected),
        within=10,
        says=lambda: f"{len(stage.receivers.since(mark))} of {len(expected)} messages have arrived",
    )
    await _answer(stage, stage.receivers.since(mark))
    alert = await stage.alert_when(
        posted.alert_id,
        lambda alert: not open_deliveries(alert),
        within=RECEIPT_DEADLINE + 8,
        says=lambda alert: f"{open_deliveries(alert)} messages wait for a receipt or its deadline",
    )
    stage.told = stage.receivers.since(mark)
    compared = compare(expected, stage.told)
    lines = lines_of(await stage.relay.deliveries(posted.alert_id), stage.told, since=posted.at)
    _show(stage, posted, lines, recipients=int(alert.get("recipients") or 0))
    report.write(stage.places.report, HEAD, [line.cells for line in lines])
    return judge(alert, lines, compared, faults=stage.receivers.faults)


def accepted(posted: Posted) -> Verdict:
    """Judge the answer to the earthquake."""
    verdict = Verdict(f"answered {posted.status} {posted.body.get('title', '')}".rstrip())
    verdict.promise(posted.status == 202, f"expected 202, got {posted.status}: {posted.body}")
    if posted.status == 202:
        verdict.promise(posted.body["state"] in ("accepted", "active"), f"the alert is {posted.body['state']}")
        verdict.promise(posted.body["priority"] == "P0", f"the class is {posted.body['priority']}, not P0")
        verdict.promise(posted.body["durability"]["journal"] == "fsync", "not on disk before the answer")
    return verdict


async def _answer(stage: Stage, arrived: Sequence[Arrival]) -> None:
    """Answer "1" from one phone, and press the button behind the link of one e-mail.

    Raises:
        Fault: one of the two has nothing to answer, or is not listened to.
    """
    school = by_id(ANSWERS_BY_LINK)
    link = next((a.link for a in arrived if a.way == ("email", school.mailbox)), "")
    if not link:
        raise Fault(f"no e-mail with a link came to {school.name}")
    status = await stage.relay.acknowledge(link)
    if status >= 400:
        raise Fault(f"the link of {school.name} was answered {status}")
    stage.paper.busy("somebody reads the message and answers 1")
    await asyncio.sleep(_READING)
    try:
        await stage.receivers.smsc.reply(by_id(ANSWERS_BY_SMS).number, "1", to="1122")
    except TimeoutError as error:
        raise Fault("the relay is not bound to the SMS centre") from error


def lines_of(deliveries: Sequence[Mapping[str, Any]], arrived: Sequence[Arrival], *, since: float) -> list[Line]:
    """Return the relay's deliveries beside what arrived, in the order of people; ``since`` is the time of the 202."""
    by_way: dict[Way, Arrival] = {arrival.way: arrival for arrival in arrived}
    told = {(row["recipient"], row["kind"]): row for row in deliveries}
    lines = []
    for person in PEOPLE:
        for kind, address in person.addresses:
            row = told.get((person.id, kind))
            if row is not None:
                lines.append(
                    Line(
                        person=person,
                        kind=kind,
                        state=str(row["state"]),
                        after=after(row, since=since),
                        arrival=by_way.get((kind, address)),
                    )
                )
    return lines


def after(delivery: Mapping[str, Any], *, since: float) -> float:
    """Return the seconds from ``since`` to the time of the delivery's state; 0 when the relay does not say."""
    times = {name: text for name, text in (delivery.get("times") or {}).items() if text}
    text = times.get(str(delivery["state"])) or max(times.values(), default=None)
    return max(datetime.fromisoformat(str(text)).timestamp() - since, 0.0) if text else 0.0


def _show(stage: Stage, posted: Posted, lines: Sequence[Line], *, recipients: int) -> None:
    paper = stage.paper
    paper.detail(
        f"{len(stage.quake_xml) / 1000:.1f} KB · 202 after {seconds(posted.took)} · safe on disk"
        " · P0 flash (Immediate, Extreme, Observed)"
        f" · {recipients} of {len(PEOPLE)} are in the area"
    )
    shown = [line for line in lines if (line.person.id, line.kind) in _SHOWN]
    paper.table(_WIDTHS, [HEAD, *(line.cells for line in shown)])
    paper.detail(
        f"… {len(lines) - len(shown)} more in {shown_path(stage.places.report)};"
        " ky→ru: the alert has no Kyrgyz, so they get the next language they read"
    )


def _totals(alert: Mapping[str, Any], compared: Comparison) -> str:
    outside = sum(not person.inside for person in PEOPLE)
    counts = count_line(alert.get("counts") or {}, names=STATES)
    untold = f"{outside} outside the area: not told" if not compared.strangers else "people outside were told"
    return f"{many(int(alert.get('deliveries') or 0), 'delivery', 'deliveries')}: {counts} · {compared}; {untold}"


def judge(alert: Mapping[str, Any], lines: Sequence[Line], compared: Comparison, *, faults: Sequence[str]) -> Verdict:
    """Judge the relay's words about every delivery by what the receivers saw; ``faults`` is what none could read."""
    verdict = Verdict(_totals(alert, compared))
    verdict.promise(compared.exact, f"the receivers disagree: {compared} {compared.lost or compared.strangers}")
    verdict.promise(not faults, f"a phone could not show: {', '.join(faults[:2])}")
    counts = alert.get("counts") or {}
    verdict.promise(sum(counts.values()) == alert.get("deliveries") == len(lines), f"counts do not add up: {counts}")
    verdict.promise(counts.get("acknowledged") == 2, "two people answered, the relay knows another number")
    for line in lines:
        who = f"{line.person.name}, {KINDS[line.kind]}"
        verdict.promise(line.state == truth(line), f"{who}: called {line.state}, true is {truth(line)}")
        if line.arrival is not None:
            got = language(line.arrival)
            verdict.promise(got == readable(line.person), f"{who}: got {got}, not {readable(line.person)}")
            verdict.promise(line.arrival.signed is not False, f"{who}: the signature is wrong")
    return verdict


def truth(line: Line) -> str:
    """Return the only true state of a delivery, from what its receiver did: an e-mail has no receipt."""
    if (line.person.id, line.kind) in ((ANSWERS_BY_SMS, "sms"), (ANSWERS_BY_LINK, "email")):
        return "acknowledged"
    if line.kind == "email" or (line.person.id == NO_RECEIPT and line.kind == "sms"):
        return "delivered_unconfirmed"
    return "delivered"
