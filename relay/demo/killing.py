"""Scene 5: kill -9 of the worker in the middle of two thousand deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relay.demo.alerts import squall, to_xml
from relay.demo.child import kill
from relay.demo.crowd import Doubles, doubles
from relay.demo.faults import Fault
from relay.demo.paper import seconds
from relay.demo.people import QUICK, crowd_number
from relay.demo.stage import Stage, Verdict, open_deliveries

_MARK: Final = "ШКВАЛ"
_WITHIN: Final = 20.0


async def scene(stage: Stage) -> Verdict:
    """Post, kill at half, wait for the end, count."""
    posted = await stage.post(to_xml(squall(stage.clock.now())))
    if posted.status != 202:
        raise Fault(f"the alert was answered {posted.status}: {posted.body.get('title', '')}")
    if not await stage.until(
        lambda: _heard(stage) >= QUICK // 2, within=_WITHIN, says=lambda: f"{_heard(stage):,} of {QUICK:,} are told"
    ):
        raise Fault(f"only {_heard(stage):,} were told in {_WITHIN:.0f} s")
    workers = stage.process.workers()
    if not workers:
        raise Fault("no worker process was found")
    for pid in workers:
        kill(pid)
    at, began = _heard(stage), stage.clock.monotonic()
    stage.paper.detail(f"worker {', '.join(map(str, workers))} killed when {at:,} of {QUICK:,} were told")
    alert = await stage.alert_when(
        posted.alert_id,
        lambda alert: not open_deliveries(alert) and _heard(stage) >= QUICK,
        within=_WITHIN,
        says=lambda _: f"{_heard(stage):,} of {QUICK:,} are told; the dead worker's share waits for its lease",
    )
    took = stage.clock.monotonic() - began
    rows = await stage.relay.deliveries(posted.alert_id)
    found = doubles(
        stage.crowd.about(_MARK),
        expected=[crowd_number(n) for n in range(QUICK)],
        labelled=[row["id"] for row in rows if row["possible_duplicate"]],
    )
    return judge(found, rows, took=took, waiting=open_deliveries(alert))


def _heard(stage: Stage) -> int:
    return len({line.number for line in stage.crowd.about(_MARK)})


def judge(found: Doubles, rows: Sequence[Mapping[str, Any]], *, took: float, waiting: int) -> Verdict:
    """Judge what the crowd's file and the relay's deliveries say of the killed alert."""
    told = QUICK - found.missing
    verdict = Verdict(
        f"{told:,} of {QUICK:,} told · {found.missing} lost · {len(found.labelled)} labelled “may have come twice”,"
        f" {len(found.doubled)} did · {seconds(took)} after the kill"
    )
    verdict.promise(not found.missing, f"{found.missing} were never told")
    verdict.promise(not found.unlabelled, f"{len(found.unlabelled)} came twice without the label")
    verdict.promise(not waiting, f"{waiting} deliveries have no end yet")
    verdict.promise(len(rows) == QUICK, f"the relay knows {len(rows):,} deliveries")
    wrong = [row for row in rows if row["state"] != "delivered"]
    verdict.promise(not wrong, f"{len(wrong)} were told and are not called delivered: {wrong[:1]}")
    return verdict
