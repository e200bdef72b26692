"""Sending chunks: everybody is told once, and where nobody can know, the record says so."""

import asyncio
from pathlib import Path

import pytest

from relay.adapter import Batch, Class, Outcome, Scope, Verdict
from relay.fanout.prepare import Gate
from relay.fanout.settling import Work
from relay.settings import Channel
from relay.tracking.reasons import reason_of
from relay.tracking.states import Flag, State
from tests.integration.sender_side import LEG, NodeOf, numbers, ready


@pytest.mark.parametrize("idempotent", [True, False])
async def test_fresh_chunk_tells_everybody_once(node_of: NodeOf, idempotent: bool) -> None:
    """A chunk of 500 reaches 500 people once each, is settled as delivered, and completes the alert."""
    async with ready(node_of(idempotent=idempotent), 500) as node:
        await node.send()
        records = await node.records(500)

        assert node.sent() == numbers(range(500))
        assert await node.counts() == {"delivered": 500}
        assert {(r.send, r.attempt, r.channel, r.flags) for r in records} == {(1, 1, 1, Flag(0))}
        assert await node.covered() == (0, 0)
        assert await node.alerts.state((await node.leg()).facts["alert"]) == "completed"


async def test_batches_are_as_large_as_promised(node_of: NodeOf) -> None:
    """Idempotent channels get 256 at once; others 64, for that many are in doubt when a worker dies."""
    async with ready(node_of(), 300) as node:
        await node.send()

        assert node.adapter.batches == [256, 44]


async def test_other_channels_get_sixty_four(node_of: NodeOf) -> None:
    """For a provider that may not be told twice, intent is written for 64 at a time."""
    async with ready(node_of(idempotent=False), 150) as node:
        await node.send()

        assert node.adapter.batches == [64, 64, 22]


async def test_intent_is_written_before_the_hand_over(node_of: NodeOf) -> None:
    """While a non-idempotent provider is being told, its deliveries already read as ``sending``."""
    async with ready(node_of(idempotent=False), 3) as node:
        seen: list[State] = []

        async def look(_batch: Batch) -> None:
            seen.extend(await node.states(3))

        node.adapter.before = look
        await node.send()

        assert seen == [State.SENDING] * 3
        assert await node.states(3) == [State.DELIVERED] * 3


async def test_idempotent_channel_needs_no_intent(node_of: NodeOf) -> None:
    """A receiver that drops copies costs one write, not two."""
    async with ready(node_of(), 3) as node:
        seen: list[State] = []

        async def look(_batch: Batch) -> None:
            seen.extend(await node.states(3))

        node.adapter.before = look
        await node.send()

        assert seen == [State.QUEUED] * 3


async def test_slow_hand_over_is_written_down_as_begun(node_of: NodeOf) -> None:
    """After 250 ms the chunk goes on; what is under way reads as ``sending``, and its outcome comes later."""
    async with ready(node_of(), 300) as node:
        first = asyncio.Event()

        async def slow_first(batch: Batch) -> None:
            if len(batch) == 256:
                await first.wait()

        node.adapter.before = slow_first
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(node.send())
            while (counts := await node.counts()).get("delivered", 0) < 44:
                await asyncio.sleep(0.02)
            leased = await node.covered()
            first.set()

        assert counts == {"sending": 256, "delivered": 44}
        assert leased == (1, 0)
        assert await node.counts() == {"delivered": 300}
        assert await node.covered() == (0, 0)


@pytest.mark.parametrize("idempotent", [True, False])
async def test_stop_in_the_middle(node_of: NodeOf, idempotent: bool) -> None:
    """A cancel that comes during a batch stops the chunk after it: the next batch is not begun."""
    async with ready(node_of(idempotent=idempotent), 500) as node:

        async def cancel(_batch: Batch) -> None:
            await node.stop()

        node.adapter.before = cancel
        await node.send()
        told = len(node.sent())

        assert node.adapter.batches == [256 if idempotent else 64]
        assert await node.counts() == {"delivered": told, "queued": 500 - told}
        assert await node.covered() == (0, 0)
        assert await node.legs.close(LEG, "x", State.CANCELLED) == "closed"
        assert await node.counts() == {"delivered": told, "cancelled": 500 - told}


async def test_stop_between_intent_and_hand_over(node_of: NodeOf) -> None:
    """The reply to the intent says that the leg was cancelled: nobody is told, and nobody is in doubt."""
    async with ready(node_of(idempotent=False), 10) as node:
        work = Work(await node.claim())
        await node.stop()
        await node.sender.send(work)
        await node.legs.close(LEG, "x", State.CANCELLED)
        counts = (await node.leg()).counts

        assert node.sent() == []
        assert {s.word: n for s, n in counts.items() if n} == {"cancelled": 10}


async def test_expiry_in_the_middle(node_of: NodeOf) -> None:
    """When the alert expires during a batch, the next batch is not begun; what waited is read as expired."""
    async with ready(node_of(), 500, expires_in=0.5) as node:

        async def late(_batch: Batch) -> None:
            node.pass_time(2)

        node.adapter.before = late
        await node.send()
        await asyncio.sleep(0.5)
        word = await node.legs.close(LEG, "x", State.EXPIRED)

        assert node.adapter.batches == [256]
        assert word == "closed"
        assert await node.counts() == {"delivered": 256, "expired": 244}


async def test_chunk_of_an_expired_leg(node_of: NodeOf) -> None:
    """A chunk that is claimed in time and begun too late is not sent."""
    async with ready(node_of(), 10, expires_in=5) as node:
        work = Work(await node.claim())
        node.pass_time(6)
        await node.sender.send(work)

        assert node.sent() == []
        assert await node.covered() == (0, 0)
        assert float(await node.redis.call("ZSCORE", node.legs.keys.first.checks, LEG)) <= node.clock.time() * 1000


async def test_retry_chunk_sends_only_what_is_due(node_of: NodeOf) -> None:
    """A provider's fault is tried again after its pause; those who were told are left alone."""
    async with ready(node_of(), 4) as node:
        node.adapter.answers = [
            Outcome(verdict=Verdict.DELIVERED),
            Outcome(verdict=Verdict.RETRY, reason="provider_down", scope=Scope.PROVIDER),
            Outcome(verdict=Verdict.RETRY, reason="queue_full", scope=Scope.RECIPIENT, retry_after=30),
            Outcome(verdict=Verdict.REJECTED, reason="bad_address"),
        ]
        await node.send()
        counts, covered = await node.counts(), await node.covered()
        node.pass_time(3)
        node.adapter.answers = None
        work = await node.again()
        records = await node.records(4)

        assert counts == {"delivered": 1, "retrying": 2, "failed": 1}
        assert covered == (0, 1)
        assert work.chunk.how == "retry"
        assert node.sent()[4:] == numbers([1])
        assert [(r.state, r.send, r.attempt) for r in records] == [
            (State.DELIVERED, 1, 1),
            (State.DELIVERED, 2, 1),
            (State.RETRYING, 1, 1),
            (State.FAILED, 1, 1),
        ]
        assert await node.covered() == (0, 1)


async def test_opt_out_a_second_ago_counts(node_of: NodeOf) -> None:
    """The deny bits are read before each hand-over, so nobody who opted out after the plan is told."""
    async with ready(node_of(), 3) as node:
        await node.directory.opt_out(1, 0)
        await node.send()
        records = await node.records(3)

        assert node.sent() == numbers([0, 2])
        assert (records[1].state, reason_of(records[1].reason)) == (State.SUPPRESSED, "opted_out")


async def test_opt_out_at_the_provider_is_remembered(node_of: NodeOf) -> None:
    """A provider says that somebody opted out: his slot is denied from then on."""
    async with ready(node_of(), 1) as node:
        node.adapter.answers = [Outcome(verdict=Verdict.OPTED_OUT)]
        await node.send()

        assert await node.counts() == {"suppressed": 1}
        assert await node.directory.denied([0]) == [1]


async def test_deleted_recipient_is_not_told(node_of: NodeOf) -> None:
    """Who was deleted or erased after the plan is not told, and the record says why."""
    async with ready(node_of(), 3) as node:
        await node.directory.remove("rescue-0", b'{"deleted":true}')
        await node.redis.call("HDEL", "c1:{dir}:r:0", "2")
        await node.send()
        reasons = [reason_of(r.reason) for r in await node.records(3)]

        assert node.sent() == numbers([1])
        assert reasons == ["recipient_deleted", "", "recipient_deleted"]
        assert await node.counts() == {"suppressed": 2, "delivered": 1}


async def test_no_channel_is_a_dead_letter(node_of: NodeOf) -> None:
    """No channel takes such a number: nobody is told by another way, an operator sees it."""
    channel = Channel(adapter="console", match=("+996",), settings={"kind": "sms"})
    async with ready(node_of(channel=channel), 2) as node:
        await node.send()

        assert await node.counts() == {"dead_letter": 2}
        assert {reason_of(r.reason) for r in await node.records(2)} == {"no_channel"}


async def test_drill_stays_in_its_lane(node_of: NodeOf) -> None:
    """A drill is never sent by a live channel."""
    async with ready(node_of(), 2, klass=Class.PX) as node:
        await node.send()

        assert node.sent() == []
        assert {(r.state, reason_of(r.reason)) for r in await node.records(2)} == {
            (State.SUPPRESSED, "no_drill_channel")
        }


async def test_test_mode_is_simulated(node_of: NodeOf) -> None:
    """An alert posted with a test key goes all the way and reaches nobody."""
    async with ready(node_of(), 5, mode="test") as node:
        await node.send()

        assert node.sent() == []
        assert await node.counts() == {"simulated": 5}


@pytest.mark.parametrize("gate", [Gate(paused=frozenset({"first"})), Gate(stopped=True)], ids=["paused", "stopped"])
async def test_paused_channel_waits(node_of: NodeOf, gate: Gate) -> None:
    """A pause costs nobody an attempt: the chunk is tried again soon, and sends when the pause ends."""
    async with ready(node_of(), 5) as node:
        node.preparer.gate = gate
        await node.send()
        while_paused = (await node.counts(), await node.covered(), node.sent())
        node.preparer.gate = Gate()
        await node.again()

        assert while_paused == ({"queued": 5}, (0, 1), [])
        assert await node.counts() == {"delivered": 5}
        assert {(r.send, r.flags) for r in await node.records(5)} == {(1, Flag(0))}


async def test_slow_channel_takes_what_its_rate_allows(node_of: NodeOf, tmp_path: Path) -> None:
    """What cannot start within 250 ms is put off, at no cost to anybody."""
    channel = Channel(adapter="console", rate=8, settings={"kind": "sms", "path": str(tmp_path / "sent.ndjson")})
    async with ready(node_of(channel=channel), 50) as node:
        await node.send()
        told = len(node.sent())

        assert 1 <= told <= 4
        assert await node.counts() == {"accepted": told, "queued": 50 - told}
        assert await node.covered() == (0, 1)
