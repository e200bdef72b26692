"""Sending when nobody can know what left: dead workers, silent providers, lost stores."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from relay.adapter import Batch, Class, Outcome, Scope, Verdict
from relay.fanout.settling import Work
from relay.settings import Channel
from relay.store.cursor import AGAIN
from relay.store.settlement import Settlement
from relay.tracking.reasons import reason_of
from relay.tracking.states import Flag, Record, State
from tests.integration.sender_side import NodeOf, numbers, ready


def _settlement(work: Work, records: dict[int, Record]) -> Settlement:
    chunk = work.chunk
    return Settlement(
        leg_id=chunk.leg_id,
        alert_id="abcdefghijklmnopqrstuvwxyz",
        lane=chunk.lane,
        klass=chunk.klass,
        segment=0,
        size=10,
        records=records,
        chunk=chunk,
        lease_ms=10_000,
    )


async def test_cancelled_chunk_of_a_dead_worker(node_of: NodeOf) -> None:
    """What a dead worker had begun when the cancel came may have left: it says so and is not sent again."""
    async with ready(node_of(idempotent=False), 10) as node:
        work = Work(await node.claim())
        await node.chunks.settle(_settlement(work, {3: Record(state=State.SENDING, send=1, channel=1)}))
        await node.stop()
        await node.again()
        record = (await node.records(10))[3]

        assert node.sent() == []
        assert (record.state, reason_of(record.reason)) == (State.POSSIBLY_SENT, "worker_lost")
        assert await node.covered() == (0, 0)


async def test_dead_workers_chunk_on_an_idempotent_channel(node_of: NodeOf) -> None:
    """What a worker may have handed over unnoticed is sent again and labelled: at most its one unsettled batch."""
    async with ready(node_of(), 300) as node:
        await node.claim()
        work = await node.again()
        records = await node.records(300)

        assert work.chunk.how == "again"
        assert len(node.sent()) == 300
        assert [bool(r.flags & Flag.POSSIBLE_DUPLICATE) for r in records] == [True] * 256 + [False] * 44


async def test_doubt_about_what_could_not_start_is_kept(node_of: NodeOf, tmp_path: Path) -> None:
    """A dead worker's deliveries that the rate puts off again are labelled too, whoever sends them at last.

    Their doubt was only in the claim: the next one claimed a retry, and the second copy came without the label.
    """
    channel = Channel(adapter="console", rate=40, settings={"kind": "sms", "path": str(tmp_path / "sent.ndjson")})
    async with ready(node_of(channel=channel), 60) as node:
        await node.claim()
        await node.again()
        first = len(node.sent())
        for _ in range(3):
            await asyncio.sleep(0.3)
            node.pass_time(0.3)
            await node.again()
        records = await node.records(60)

        assert 1 <= first < len(node.sent())
        assert all(r.flags & Flag.POSSIBLE_DUPLICATE for r in records if r.send)
        assert all(r.flags & Flag.IN_DOUBT for r in records)


async def test_dead_workers_chunk_elsewhere(node_of: NodeOf) -> None:
    """Without an intent nothing left; with one it is resent once for the worst news, and labelled."""
    async with ready(node_of(idempotent=False), 10) as node:
        work = Work(await node.claim())
        await node.chunks.settle(_settlement(work, {3: Record(state=State.SENDING, send=1, channel=1)}))
        await node.again()
        records = await node.records(10)

        assert node.sent() == numbers(range(10))
        assert [p for p, r in enumerate(records) if r.flags & Flag.POSSIBLE_DUPLICATE] == [3]
        assert records[3].send == 2


async def test_doubt_about_low_news_is_not_resent(node_of: NodeOf) -> None:
    """A second copy of low news costs more than a missed one: it ends as possibly sent."""
    async with ready(node_of(idempotent=False), 10, klass=Class.P4) as node:
        work = Work(await node.claim())
        await node.chunks.settle(_settlement(work, {3: Record(state=State.SENDING, send=1, channel=1)}))
        await node.again()

        assert node.sent() == numbers([0, 1, 2, 4, 5, 6, 7, 8, 9])
        assert (await node.states(10))[3] is State.POSSIBLY_SENT


async def test_silent_provider_leaves_doubt(node_of: NodeOf) -> None:
    """Nobody knows whether it left: P1 by SMS is sent once more with the label, and then no more."""
    async with ready(node_of(idempotent=False), 1) as node:
        node.adapter.answers = [Outcome(verdict=Verdict.UNKNOWN, reason="timeout", scope=Scope.PROVIDER)]
        await node.send()
        first = (await node.records(1))[0]
        node.pass_time(3)
        await node.again()
        second = (await node.records(1))[0]

        assert (first.state, first.flags) == (State.RETRYING, Flag.IN_DOUBT)
        assert (second.state, second.flags) == (State.POSSIBLY_SENT, Flag.IN_DOUBT | Flag.POSSIBLE_DUPLICATE)


async def test_planned_again_after_a_loss(node_of: NodeOf) -> None:
    """After FLUSHALL the leg is planned anew with other ranks: who was told stays told, the rest gets it, labelled."""
    async with ready(node_of(), 20) as node:
        await node.send(most=10)
        await node.redis.call("FLUSHALL")
        node.pass_time(2)
        await node.people(25)
        node.replay.forgotten()
        await node.publish([3, 5, *range(8, 25)], flags=AGAIN)
        await node.send(reread=True)
        records = await node.records(19)

        assert node.sent() == numbers([*range(10), *range(10, 25)])
        assert {r.state for r in records} == {State.DELIVERED}
        assert [bool(r.flags & Flag.POSSIBLE_DUPLICATE) for r in records] == [False] * 4 + [True] * 15


@pytest.mark.parametrize("idempotent", [True, False])
async def test_failover_that_nobody_remembers(node_of: NodeOf, idempotent: bool) -> None:
    """Claim, intents and settles were lost with the old primary, and the workers died: all hear it again, labelled.

    What somebody told Redis again is not sent again.
    """
    async with ready(node_of(idempotent=idempotent), 20) as node:
        await node.send(most=1)
        run = node.legs.keys.first.run
        await node.redis.call("HSET", run, "id", "0123456789abcdef")
        settled = _settlement(Work(await node.claim(most=1)), {5: Record(state=State.DELIVERED, send=1, ended=1)})
        await node.chunks.settle(replace(settled, chunk=None, size=20))
        await node.send()
        records = await node.records(20)

        assert node.sent() == numbers([0, *range(2, 5), *range(6, 20)])
        assert [bool(r.flags & Flag.POSSIBLE_DUPLICATE) for r in records[2:5] + records[6:]] == [True] * 17
        assert not any(r.flags & Flag.IN_DOUBT for r in records)
        assert {r.state for r in records[2:]} == {State.DELIVERED}


async def test_outcome_of_a_lost_leg_finds_its_people(node_of: NodeOf) -> None:
    """A batch is under way while everything is lost and planned anew: its outcome goes to the people, not the ranks."""
    async with ready(node_of(), 4) as node:

        async def lose(_batch: Batch) -> None:
            node.adapter.before = None
            await node.redis.call("FLUSHALL")
            node.pass_time(2)
            await node.people(6)
            await node.publish([2, 3, 4, 5], flags=AGAIN)

        node.adapter.before = lose
        await node.send()
        between = await node.counts()
        await node.send(reread=True)
        records = await node.records(4)

        assert between == {"queued": 4}
        assert node.sent() == numbers([0, 1, 2, 3, 4, 5])
        assert [bool(r.flags & Flag.POSSIBLE_DUPLICATE) for r in records] == [False, False, True, True]


async def test_vanished_leg_is_left(node_of: NodeOf) -> None:
    """A chunk whose leg is gone is left alone: nothing is sent, nothing fails."""
    async with ready(node_of(), 4) as node:
        work = Work(await node.claim())
        await node.redis.call("FLUSHALL")
        await node.sender.send(work)

        assert node.sent() == []


async def test_lost_lease_ends_the_chunk(node_of: NodeOf) -> None:
    """Another worker took the chunk over: this one records its batch and begins no other."""
    async with ready(node_of(idempotent=False), 200) as node:

        async def take_over(_batch: Batch) -> None:
            key = node.legs.keys.first.leases(node.kind, Class.P1)
            for member in await node.redis.call("ZRANGE", key, 0, -1):
                await node.redis.call("ZADD", key, 1, member)
            await node.claim()

        node.adapter.before = take_over
        await node.send()

        assert node.adapter.batches == [64]
        assert await node.counts() == {"delivered": 64, "queued": 136}
        assert await node.covered() == (1, 0)
