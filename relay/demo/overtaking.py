"""Scene 4: a flash alert while twenty thousand low messages wait; then the low ones are withdrawn."""

from __future__ import annotations

from typing import Any, Final

from relay.demo.alerts import dam_break, to_xml, wind
from relay.demo.faults import Fault
from relay.demo.paper import seconds
from relay.demo.people import CROWD, crowd_ndjson, inside
from relay.demo.receivers import compare, ways
from relay.demo.relay_client import Document
from relay.demo.stage import Stage, Verdict, open_deliveries

_LOW: Final = "ветер"
_WITHDRAWN: Final = "отменено"
_BEGUN: Final = 400
"""So many low messages are out when the flash comes."""

FIRST_WITHIN: Final = 1.0
"""Seconds from 202 to the first hand-over of a flash (design §8)."""


async def scene(stage: Stage) -> Verdict:
    """Fill the queue, post the flash, see who comes first; withdraw what still waits."""
    low = await _fill(stage)
    waiting = CROWD - len(stage.crowd.about(_LOW))
    expected, mark = ways(inside()), stage.receivers.mark()
    posted = await stage.post(to_xml(dam_break(stage.clock.now())))
    if posted.status != 202:
        raise Fault(f"the flash was answered {posted.status}: {posted.body.get('title', '')}")
    began = stage.clock.monotonic()
    stage.expected += len(expected)
    await stage.until(lambda: bool(stage.receivers.since(mark)), within=10, says=lambda: "the flash is on its way")
    first = stage.clock.monotonic() - began
    await stage.until(
        lambda: len(stage.receivers.since(mark)) >= len(expected),
        within=10,
        says=lambda: f"{len(stage.receivers.since(mark))} of {len(expected)} messages of the flash have arrived",
    )
    last = stage.clock.monotonic() - began
    compared = compare(expected, stage.receivers.since(mark))
    told = CROWD - waiting
    went_on = await stage.until(lambda: len(stage.crowd.about(_LOW)) > told, within=5, says=lambda: "the low ones")
    stage.paper.detail(
        f"{waiting:,} low messages waited: the flash's first hand-over after {seconds(first)}, all"
        f" {len(expected)} after {seconds(last)}; the low ones {'go on' if went_on else 'stand still'}"
    )
    verdict = await _withdraw(stage, low)
    verdict.promise(posted.body["priority"] == "P0", f"the flash is {posted.body['priority']}, not P0")
    verdict.promise(compared.exact, f"the flash: {compared}")
    verdict.promise(first <= FIRST_WITHIN, f"the flash's first hand-over took {seconds(first)}")
    verdict.promise(waiting > CROWD // 2, f"only {waiting:,} low messages were waiting")
    verdict.promise(went_on, "the low messages did not go on")
    return verdict


async def _fill(stage: Stage) -> str:
    """Import the crowd, post the low alert and wait until it is being sent; return its id.

    Raises:
        Fault: one of these did not happen.
    """
    stage.paper.busy(f"{CROWD:,} more recipients are imported")
    stored = await stage.relay.import_people(_stream())
    if stored != CROWD:
        raise Fault(f"{stored:,} of {CROWD:,} recipients were stored")
    posted = await stage.post(to_xml(wind(stage.clock.now())))
    if posted.status != 202:
        raise Fault(f"the low alert was answered {posted.status}: {posted.body.get('title', '')}")
    begun = await stage.until(
        lambda: len(stage.crowd.about(_LOW)) >= _BEGUN,
        within=15,
        says=lambda: f"{len(stage.crowd.about(_LOW)):,} of {CROWD:,} low messages are sent",
    )
    if not begun:
        raise Fault("the low alert is not being sent")
    return posted.alert_id


async def _stream() -> Any:  # noqa: ANN401 - an asynchronous generator, as aiohttp takes it
    for lines in crowd_ndjson():
        yield lines


async def _withdraw(stage: Stage, low: str) -> Verdict:
    """Cancel the low alert and compare who was told, who was stopped and who was told that it is over."""
    cancelled = await stage.relay.cancel(low)
    if cancelled.status != 202:
        raise Fault(f"the cancel was answered {cancelled.status}")
    alert = await stage.alert_when(
        low, lambda alert: not open_deliveries(alert), within=10, says=lambda _: "what waits is being stopped"
    )
    notice = await stage.alert_when(
        cancelled.alert_id,
        lambda alert: alert["state"] == "completed" and not open_deliveries(alert),
        within=15,
        says=lambda alert: f"{open_deliveries(alert):,} are still to hear that it is over",
    )
    lines = stage.crowd.about("")
    return judge_withdrawal(
        alert,
        notice,
        told=[line.number for line in lines if _LOW in line.text and not is_notice(line.text)],
        corrected=[line.number for line in lines if is_notice(line.text)],
    )


def is_notice(text: str) -> bool:
    """Whether a message withdraws another."""
    return _WITHDRAWN in text


def judge_withdrawal(alert: Document, notice: Document, *, told: list[str], corrected: list[str]) -> Verdict:
    """Judge a cancelled alert and its notice against the numbers that were ``told`` and ``corrected``."""
    counts = alert.get("counts") or {}
    stopped, reached = int(counts.get("cancelled", 0)), int(counts.get("delivered", 0))
    verdict = Verdict(
        f"cancelled: {stopped:,} stopped; the {len(told):,} who were told hear that it is over ({alert['state']})"
    )
    verdict.promise(stopped + reached == CROWD, f"counts do not add up to {CROWD:,}: {counts}")
    verdict.promise(reached == len(set(told)), f"{len(set(told)):,} were told, the relay says {reached:,}")
    verdict.promise(len(told) == len(set(told)), "somebody was told twice")
    verdict.promise(sorted(corrected) == sorted(told), f"{len(corrected):,} of {len(told):,} heard that it is over")
    said = sum((notice.get("counts") or {}).values())
    verdict.promise(said == len(corrected), f"{len(corrected):,} notices came, the relay says {said:,}")
    return verdict
