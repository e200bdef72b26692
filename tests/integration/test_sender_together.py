"""Small chunks are sent together: each of them ends as it would have ended alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from relay.adapter import Batch, Class, Kind, Outcome, Verdict
from relay.fanout.ids import leg_id
from relay.fanout.segment import Segment
from relay.fanout.settling import Work
from relay.store.chunk import Chunk
from relay.store.cursor import Cursor
from relay.store.legs import NewLeg, Publication
from relay.tracking.states import State
from tests.contract.engine_side import an_alert
from tests.integration.sender_side import CAP, Node, NodeOf, numbers

ALERTS = ("first", "second", "third")
#: Who each of the alerts is for.
PEOPLE = {"first": [0, 1], "second": [2], "third": [3, 4, 5]}


def leg_of(alert_id: str) -> str:
    return leg_id(alert_id, kind=Kind.SMS, round_number=0)


async def publish(node: Node, alert_id: str) -> None:
    now = int(node.clock.time() * 1000)
    await node.alerts.accept(an_alert(alert_id, raw=CAP, klass=Class.P3, fields={"media": "xml", "mode": "live"}))
    people = PEOPLE[alert_id]
    segment = Segment(np.array(people, np.uint32), np.zeros(len(people), np.uint8), np.zeros(len(people), np.uint16), 0)
    leg = NewLeg(
        leg_id=leg_of(alert_id),
        lane=Kind.SMS,
        cursor=Cursor(klass=Class.P3, flags=0, expires=now + 600_000, start=now, sizes=(len(people),)),
        fields={"alert": alert_id, "kind": Kind.SMS, "variants_of": alert_id},
        segments=[segment.pack()],
    )
    await node.legs.publish(alert_id, Publication(legs=[leg], recipients=len(people)), now_ms=now)


async def claim(node: Node, count: int) -> list[Work]:
    """Claim several chunks in one question."""
    claimed = await node.chunks.claim(
        Kind.SMS, token="t", most=31, lease_ms=10_000, flash_ms=5_000, fence_ms=0, urgent=False, count=count
    )
    assert isinstance(claimed.found, Chunk)
    return [Work(chunk) for chunk in (claimed.found, *claimed.more)]


async def states(node: Node) -> dict[str, list[State]]:
    """Return the states of everybody, by alert."""
    found = {}
    for alert_id, people in PEOPLE.items():
        data = await node.legs.records(leg_of(alert_id), 0, first=0, last=len(people))
        found[alert_id] = [State(data[i]) for i in range(0, len(data), 24)]
    return found


async def alert_states(node: Node) -> list[str]:
    return [await node.alerts.state(alert_id) for alert_id in ALERTS]


@pytest.fixture
async def node(node_of: NodeOf) -> Node:
    return await prepared(node_of())


async def prepared(node: Node) -> Node:
    await node.channels.open()
    await node.people(6)
    for alert_id in ALERTS:
        await publish(node, alert_id)
    return node


@pytest.mark.parametrize("idempotent", [True, False])
async def test_all_are_told_in_one_batch(node_of: NodeOf, idempotent: bool) -> None:
    """Three alerts, one hand-over: everybody is told once, every leg and every alert is completed."""
    node = await prepared(node_of(idempotent=idempotent))
    works = await claim(node, 4)
    await node.sender.send(*works)

    assert len(works) == 3
    assert node.adapter.batches == [6]
    assert sorted(node.sent()) == numbers(range(6))
    assert await states(node) == {name: [State.DELIVERED] * len(people) for name, people in PEOPLE.items()}
    assert await alert_states(node) == ["completed"] * 3


async def test_one_that_is_cancelled_does_not_stop_the_others(node: Node) -> None:
    """The cancel comes after the claim and before the hand-over: nobody of that alert is told, all others are."""
    works = await claim(node, 3)
    alert = await node.alerts.get("second")
    assert alert is not None
    await node.alerts.stop(alert, state="cancelled", cause="another")
    works[[w.chunk.leg_id for w in works].index(leg_of("second"))].stopped.set()
    await node.sender.send(*works)
    found = await states(node)

    assert sorted(node.sent()) == numbers([0, 1, 3, 4, 5])
    assert found["second"] == [State.QUEUED]
    assert set(found["first"] + found["third"]) == {State.DELIVERED}


async def test_outcomes_go_to_their_own_legs(node: Node) -> None:
    """One batch, six outcomes: what failed is tried again by its own leg, and only that."""
    node.adapter.answers = [
        Outcome(verdict=Verdict.RETRY if n == 2 else Verdict.DELIVERED, reason="busy" if n == 2 else "")
        for n in range(6)
    ]
    await node.sender.send(*await claim(node, 3))
    found = await states(node)
    retrying = [name for name, cells in found.items() if State.RETRYING in cells]

    assert sorted(state for cells in found.values() for state in cells) == [State.RETRYING] + [State.DELIVERED] * 5
    assert len(retrying) == 1
    assert sorted(await alert_states(node)) == ["active", "completed", "completed"]


async def test_slow_provider_keeps_none_of_them(node: Node) -> None:
    """A batch without an answer for a while is written down as begun, parked, and settled when the answer comes."""
    answer, parked = asyncio.Event(), []

    async def wait(_batch: Batch) -> None:
        await answer.wait()

    node.adapter.before = wait
    works = await claim(node, 3)
    for work in works:
        work.on_park = lambda: parked.append(1)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(node.sender.send(*works))
        while len(parked) < 3:
            await asyncio.sleep(0.01)
        while (begun := await states(node)) and State.QUEUED in flat(begun.values()):
            await asyncio.sleep(0.01)
        answer.set()

    assert set(flat(begun.values())) == {State.SENDING}
    assert set(flat((await states(node)).values())) == {State.DELIVERED}
    assert await alert_states(node) == ["completed"] * 3


def flat(groups: object) -> Sequence[State]:
    return [state for group in groups for state in group]  # type: ignore[attr-defined]
