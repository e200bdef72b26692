"""Scenes 6 and 7: the earthquake is cancelled for exactly those who were told; a drill is nothing but a drill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from relay.demo.alerts import all_clear, drill, to_xml
from relay.demo.earthquake import language
from relay.demo.faults import Fault
from relay.demo.paper import many, seconds
from relay.demo.people import inside
from relay.demo.receivers import Arrival, Comparison, Way, compare, owner
from relay.demo.stage import SETTLE, Stage, Verdict

_OVER: Final = {"ru": "ОТБОЙ", "kk": "ҚАТЕР ӨТТІ", "en": "ALL CLEAR"}
_DRILL: Final = {"ru": "УЧЕНИЯ", "kk": "ОҚУ-ЖАТТЫҒУ", "en": "EXERCISE"}
_WITHIN: Final = 10.0
_WIDTHS: Final = (20, 6, 95)


async def cancelled(stage: Stage) -> Verdict:
    """Post the Cancel that refers to the earthquake."""
    if stage.quake is None or not stage.told:
        raise Fault("the earthquake told nobody, so there is nobody to tell that it is over")
    expected = [arrival.way for arrival in stage.told]
    arrived, took = await _post(stage, to_xml(all_clear(stage.quake, stage.clock.now())), expected)
    _examples(stage, arrived)
    return judge_cancel(stage.told, arrived, took=took)


def judge_cancel(told: Sequence[Arrival], arrived: Sequence[Arrival], *, took: float) -> Verdict:
    """Judge who was told that it is over against who had been ``told`` of the earthquake, and in which language."""
    compared = compare([arrival.way for arrival in told], arrived)
    people = {person.id for arrival in arrived if (person := owner(arrival.way)) is not None}
    verdict = Verdict(
        f"to the {len(people)} who were told, by the same {many(len({a.way for a in told}), 'way')},"
        f" in their language · {compared} · {seconds(took)}"
    )
    _note(verdict, compared)
    before = {arrival.way: language(arrival) for arrival in told}
    for arrival in arrived:
        said, wanted = language(arrival), before.get(arrival.way, "")
        verdict.promise(said == wanted, f"{arrival.address}: told in {wanted}, corrected in {said}")
        word = _OVER.get(said, "?")
        verdict.promise(word in arrival.text, f"{arrival.address}: the text does not say {word}")
    return verdict


async def exercised(stage: Stage) -> Verdict:
    """Post a drill for the same area."""
    expected = drill_ways()
    arrived, took = await _post(stage, to_xml(drill(stage.clock.now())), expected)
    _examples(stage, arrived)
    verdict = judge_drill(expected, arrived, took=took)
    total, wanted = stage.receivers.count, stage.expected
    verdict.promise(total == wanted, f"in all scenes {wanted} messages should have come to the twelve, {total} did")
    return verdict


def drill_ways() -> list[Way]:
    """Return the addresses that a drill may use: of those who take part, on the one channel of the drill lane."""
    return [("sms", person.number) for person in inside() if person.drills and person.number]


def judge_drill(expected: Sequence[Way], arrived: Sequence[Arrival], *, took: float) -> Verdict:
    """Judge a drill for ``expected`` by what ``arrived``."""
    compared = compare(expected, arrived)
    words = " / ".join(sorted({_DRILL.get(language(arrival), "?") for arrival in arrived}))
    verdict = Verdict(
        f"{words or 'nothing'} first in every text · {len(arrived)}/{len(expected)} in {seconds(took)};"
        " no e-mail, no webhook, nobody who does not take part"
    )
    _note(verdict, compared)
    for arrival in arrived:
        word = _DRILL.get(language(arrival), "?")
        verdict.promise(arrival.text.startswith(word), f"{arrival.address}: the text does not begin with {word}")
    return verdict


def _note(verdict: Verdict, compared: Comparison) -> None:
    for what, found in (("not told", compared.lost), ("told twice", compared.twice), ("others", compared.strangers)):
        verdict.promise(not found, f"{what}: {', '.join(address for _, address in found[:3])}")


async def _post(stage: Stage, xml: bytes, expected: Iterable[Way]) -> tuple[list[Arrival], float]:
    """Post, wait until as many messages as ``expected`` came and a little longer; return them and the seconds taken.

    Raises:
        Fault: it was not accepted.
    """
    wanted, mark = len(set(expected)), stage.receivers.mark()
    posted = await stage.post(xml)
    if posted.status != 202 or posted.body["state"] not in ("accepted", "active"):
        raise Fault(f"answered {posted.status} {_why(posted.body)}")
    began = stage.clock.monotonic()
    stage.expected += wanted
    await stage.until(
        lambda: len(stage.receivers.since(mark)) >= wanted,
        within=_WITHIN,
        says=lambda: f"{len(stage.receivers.since(mark))} of {wanted} messages have arrived",
    )
    took = stage.clock.monotonic() - began
    await asyncio.sleep(SETTLE)
    return stage.receivers.since(mark), took


def _why(body: Mapping[str, Any]) -> str:
    return " ".join(str(body[name]) for name in ("title", "state", "reason") if body.get(name))


def _examples(stage: Stage, arrived: Sequence[Arrival]) -> None:
    """Show one SMS in each language."""
    shown: dict[str, Sequence[str]] = {}
    for arrival in arrived:
        person = owner(arrival.way)
        if arrival.kind == "sms" and person is not None:
            shown.setdefault(language(arrival), (person.name, language(arrival), arrival.text))
    stage.paper.table(_WIDTHS, list(shown.values()))
