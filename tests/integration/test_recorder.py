"""Recording: what left is written down, however long Redis is away, and those who must know of it hear of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.fanout.recorder import Words
from relay.fanout.settling import Job, Settling, Work
from relay.store.settlement import Settlement
from relay.tracking.states import Record, State
from tests.integration.sender_side import LEG, Node, NodeOf

SENT = Record(state=State.DELIVERED, send=1, attempt=1, ended=5, channel=1)
ACCEPTED = Record(state=State.ACCEPTED, send=1, attempt=1, accepted=5, channel=1)
LATER = Record(state=State.RETRYING, send=1, due=300, channel=1)


@pytest.fixture
async def node(node_of: NodeOf) -> Node:
    made = node_of()
    await made.channels.open()
    await made.people(6)
    await made.publish(range(6), klass=Class.P1)
    return made


async def a_job(node: Node) -> Job:
    """Claim the chunk."""
    chunk = await node.claim()
    return Job(Work(chunk), await node.contents.facts(LEG), await node.contents.segment(LEG, 0))


async def settle(node: Node, job: Job, records: Mapping[int, Record], *, final: bool = True) -> None:
    await node.sender._p.recorder.settle(Words(job, [Settling(dict(records))], final=final))


async def test_outcomes_of_several_batches_are_one_settle(node: Node) -> None:
    """Records of all batches are stored and counted, and the lease is given back with the last."""
    job = await a_job(node)
    await node.sender._p.recorder.settle(Words(job, [Settling({0: SENT}), Settling({3: ACCEPTED})], final=True))

    assert await node.counts() == {"delivered": 1, "accepted": 1, "queued": 4}
    assert await node.covered() == (0, 0)


async def test_what_is_due_later_is_owed(node: Node) -> None:
    """The chunk comes back when the first retry is due, and the leg is looked at when the receipt is overdue."""
    job = await a_job(node)
    await settle(node, job, {0: LATER, 1: ACCEPTED})

    assert job.work.retry_at == int(job.facts.start_ms) + 3000
    assert job.work.check_at == int((node.clock.time() + 3600) * 1000)
    assert await node.covered() == (0, 1)


async def test_outcomes_wait_for_redis(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that left is not forgotten because Redis is away at that moment."""
    job = await a_job(node)
    real, failed = node.chunks.settle_many, 0

    async def away(settlements: Sequence[Settlement]) -> Any:
        nonlocal failed
        failed += 1
        if failed < 4:
            raise StoreUnavailable("away")
        return await real(settlements)

    monkeypatch.setattr(node.chunks, "settle_many", away)
    async with asyncio.timeout(5):
        await settle(node, job, {0: SENT})

    assert (await node.states(1), failed) == ([State.DELIVERED], 4)


async def test_outcomes_of_a_leg_that_is_gone_are_told_again(node: Node) -> None:
    """Redis was emptied: the sender stops, and what left is told again when the leg is back."""
    job = await a_job(node)
    await node.redis.call("FLUSHALL")
    await settle(node, job, {0: SENT}, final=False)

    assert job.work.stopped.is_set()
    assert node.replay.owing


async def test_cancel_is_heard_with_a_settle(node: Node) -> None:
    """The answer to a settle says that the alert is over."""
    job = await a_job(node)
    await settle(node, job, {0: SENT}, final=False)
    before = job.work.stopped.is_set()
    await node.stop()
    await settle(node, job, {1: SENT}, final=False)

    assert (before, job.work.stopped.is_set()) == (False, True)


async def test_who_opted_out_is_denied(node: Node) -> None:
    """An address that answered "not here any more" is not tried by the next alert."""
    job = await a_job(node)
    await node.sender._p.recorder.settle(Words(job, [Settling({2: SENT}, opted_out=[2])], final=True))

    assert await node.directory.denied([1, 2]) == [0, 1]
