"""What a node knows of itself, and whether it believes its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relay.node_state import NodeState
from relay.store.connection import Connection
from relay.testing.clocks import FakeClock
from tests.contract.node_side import NodeSide, api_node


@pytest.fixture
async def node(redis: Connection, tmp_path: Path) -> AsyncIterator[NodeSide]:
    async with api_node(redis, tmp_path) as side:
        await side.catch_up()
        yield side


def state(node: NodeSide) -> NodeState:
    found = node.services.state
    assert isinstance(found, NodeState)
    return found


async def look(node: NodeSide, *, off: float = 0.0) -> bool:
    """Let it look at Redis and at its clock, which is ``off`` seconds; returns whether it trusts the clock."""
    node.clock.jump((datetime.now(UTC) - node.clock.now()).total_seconds() + off)
    await state(node)._refresh()
    state(node).judge_clock()
    return state(node).clock_trusted


async def test_clock_that_agrees_is_trusted(node: NodeSide) -> None:
    """A second more or less is no doubt."""
    assert await look(node)


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_clock_that_is_off_redis_is_not_trusted(node: NodeSide, seconds: int) -> None:
    """It decides nothing until it agrees again."""
    trusted = await look(node, off=seconds)
    state(node)._latest = None

    assert not trusted
    assert await look(node)


async def test_slow_answer_is_no_wrong_clock(node: NodeSide) -> None:
    """Redis hung for three seconds: its TIME is three seconds old, or the question was."""
    call = node.redis.call

    async def slow(*command: str | bytes | int | float) -> object:
        found = await call(*command)
        if command == ("TIME",):
            node.clock.advance(3)
        return found

    state(node)._redis.call = slow  # type: ignore[method-assign]
    try:
        trusted = await look(node)
    finally:
        state(node)._redis.call = call  # type: ignore[method-assign]

    assert trusted


async def test_clock_that_falls_behind_is_not_trusted(node: NodeSide) -> None:
    """It was right or is right, and nobody here can tell: nothing expires until it has caught up."""
    state(node).judge_clock()
    node.clock.jump(-60)
    state(node).judge_clock()
    behind = state(node).clock_trusted
    node.clock.jump(60)
    state(node).judge_clock()

    assert (behind, state(node).clock_trusted) == (False, True)


async def test_clock_behind_the_journal_is_not_trusted_from_the_start(node: NodeSide, tmp_path: Path) -> None:
    """After a power cut the machine woke in 1970 with Redis away: the first alert was "expired" and not sent."""
    await node.post(node.xml("a-1"))
    await node.journal.close()
    woken = FakeClock(datetime(1970, 1, 1, tzinfo=UTC))
    async with api_node(node.redis, tmp_path, clock=woken) as after:
        doubted = state(after).clock_trusted
        woken.advance((node.clock.now() - woken.now() + timedelta(seconds=1)).total_seconds())
        state(after).judge_clock()

        assert not doubted
        assert state(after).clock_trusted


async def test_refusals_reach_every_node(node: NodeSide, tmp_path: Path) -> None:
    """What one node refused is on the page of another; without Redis each shows its own."""
    state(node).refuse({"problem": "no-area"})
    await look(node)
    async with api_node(node.redis, tmp_path / "two", clock=node.clock) as other:
        seen = await state(other).refusals(5)
        await state(other)._redis.call("FLUSHALL")

        assert seen == [{"problem": "no-area"}]
        assert await state(other).refusals(5) == []


async def test_workers_are_those_last_heard_of(node: NodeSide) -> None:
    """Reading them waits for nobody."""
    await node.services.switches.beat("w1", {"at": 1.0})
    before = await state(node).workers()
    await look(node)

    assert (before, await state(node).workers()) == ({}, {"w1": {"at": 1.0}})


async def test_figures(node: NodeSide) -> None:
    """Journal and waiting records are those of the node."""
    node.remember.available = False
    await node.post(node.xml("a-1"))

    assert (state(node).pending, state(node).journal_status().last_seq, state(node).redis_available) == (1, 1, False)
