"""Provider failover inside the record: by route order, by scope of the error, by silence; it costs no attempt."""

import asyncio
from pathlib import Path

import pytest

from relay.adapter import Batch, Class, Kind, Outcome, Scope, Verdict
from relay.errors import ProviderDown
from relay.fanout import sender
from relay.fanout.breaker import PAUSES, TRIPS
from relay.fanout.prepare import Gate
from relay.settings import Channel
from relay.store.connection import Connection
from relay.tracking.states import Flag, State
from tests.integration.sender_side import Node, ready

SILENCE = 0.2


def console(*, idempotent: bool = True) -> Channel:
    return Channel(adapter="console", order=200, settings={"kind": "sms", "idempotent": idempotent, "silent": True})


def two(redis: Connection, folder: Path, *, idempotent: bool = True) -> Node:
    """Return a node with two providers: ``first``, and ``second`` when that does not work."""
    others = {"second": console(idempotent=idempotent)}
    return Node(redis, folder, channel=None, kind=Kind.SMS, idempotent=idempotent, others=others)


async def down(_batch: Batch) -> None:
    raise ProviderDown("connection_failed")


async def states(node: Node, count: int) -> list[tuple[State, int, int, int]]:
    return [(r.state, r.channel, r.send, r.attempt) for r in await node.records(count)]


@pytest.mark.parametrize("idempotent", [True, False])
async def test_next_provider_is_tried_at_once(redis: Connection, tmp_path: Path, idempotent: bool) -> None:
    """The first provider cannot be reached: the second one gets the message in the next claim, uncharged."""
    async with ready(two(redis, tmp_path, idempotent=idempotent), 3) as node:
        node.adapter.before = down
        work = await node.send()
        assert work.retry_at <= node.clock.time() * 1000 + 10
        node.pass_time(0.05)
        await node.again()

    assert await states(node, 3) == [(State.ACCEPTED, 2, 2, 1)] * 3
    assert [r.flags for r in await node.records(3)] == [Flag(0)] * 3


async def test_after_the_last_provider_comes_a_pause(redis: Connection, tmp_path: Path) -> None:
    """When all of them failed, the round begins anew with the first one, after the policy's pause."""
    async with ready(two(redis, tmp_path), 2) as node:
        node.adapters["first"].before = node.adapters["second"].before = down
        await node.send()
        node.pass_time(0.05)
        await node.again()
        first = await node.records(2)
        node.adapters["first"].before = None
        node.pass_time(3)
        await node.again()

    assert [(r.state, r.route, r.attempt) for r in first] == [(State.RETRYING, 0, 0)] * 2
    assert await states(node, 2) == [(State.DELIVERED, 1, 3, 1)] * 2


async def test_a_refused_number_stays_refused(redis: Connection, tmp_path: Path) -> None:
    """What is wrong with the recipient is wrong for every provider: no failover, no second message."""
    async with ready(two(redis, tmp_path), 2) as node:
        node.adapter.answers = [Outcome(verdict=Verdict.REJECTED, reason="invalid_address")]
        await node.send()

    assert [r.state for r in await node.records(2)] == [State.FAILED] * 2
    assert node.adapters["second"].batches == []


async def test_open_breaker_spares_the_first_provider(redis: Connection, tmp_path: Path) -> None:
    """After some failures in a row nobody asks it any more; after a pause one message tries it again."""
    async with ready(two(redis, tmp_path), 40) as node:
        node.adapter.before = down
        while not node.channels["first"].breaker.is_open:
            await node.send(2)
            node.pass_time(0.05)  # else what is due at once is never due by this clock
        tried = len(node.adapter.batches)
        await node.send(10)
        assert len(node.adapter.batches) == tried
        node.adapter.before = None
        node.pass_time(PAUSES[0])
        while len(node.adapter.batches) == tried:
            await node.send(8)

    assert node.adapter.batches[tried:] == [1]
    assert not node.channels["first"].breaker.is_open


async def test_without_another_provider_an_open_breaker_waits(redis: Connection, tmp_path: Path) -> None:
    """Nothing is handed over, charged or counted while the only provider is known to be down."""
    async with ready(Node(redis, tmp_path, channel=None, kind=Kind.SMS, idempotent=True), 20) as node:
        node.adapter.before = down
        for _ in range(TRIPS):
            await node.send(2)
        assert node.preparer.shut(Kind.SMS)
        work = await node.send(10)
        tried = sum(node.adapter.batches)
        node.adapter.before = None
        node.pass_time(PAUSES[0])
        assert not node.preparer.shut(Kind.SMS)

    assert tried == 2 * TRIPS
    assert work.retry_at > 0
    assert (await node.states(20))[2 * TRIPS : 16] == [State.QUEUED] * (16 - 2 * TRIPS)


async def test_paused_channel_is_passed_over(redis: Connection, tmp_path: Path) -> None:
    """An operator who pauses a channel means that provider, not the people: the next one carries them."""
    async with ready(two(redis, tmp_path), 2) as node:
        node.preparer.gate = Gate(paused=frozenset({"first"}))
        await node.send()

    assert await states(node, 2) == [(State.ACCEPTED, 2, 1, 1)] * 2


@pytest.mark.parametrize(("klass", "channel"), [(Class.P0, 2), (Class.P3, 0)])
async def test_urgent_news_does_not_wait_for_a_throttling_provider(
    redis: Connection, tmp_path: Path, klass: Class, channel: int
) -> None:
    """A provider that asks to come again in a minute loses urgent news to the next one; others wait for it."""
    async with ready(two(redis, tmp_path), 2, klass=klass) as node:
        busy = Outcome(verdict=Verdict.THROTTLED, reason="throttled", scope=Scope.PROVIDER, retry_after=60.0)
        node.adapter.answers = [busy]
        await node.send()
        node.pass_time(0.05)
        if klass is Class.P0:
            await node.again()

    assert [r.channel * (r.state is State.ACCEPTED) for r in await node.records(2)] == [channel] * 2
    assert [r.attempt for r in await node.records(2)] == [int(klass is Class.P0)] * 2


class Silent:
    """A provider that does not answer until it is told to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def __call__(self, _batch: Batch) -> None:
        await self.go_on.wait()


@pytest.mark.parametrize("idempotent", [True, False])
async def test_flash_news_races_a_second_provider(
    redis: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idempotent: bool
) -> None:
    """No answer for long: the second provider is asked as well, and the label says that it may come twice."""
    monkeypatch.setattr(sender, "RACE", SILENCE)
    silent = Silent()
    async with ready(two(redis, tmp_path, idempotent=idempotent), 3, klass=Class.P0) as node, asyncio.timeout(10):
        node.adapter.before = silent
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(node.send())
            while not all(r.state is State.ACCEPTED for r in await node.records(3)):
                node.pass_time(0.05)
                await asyncio.sleep(0.02)
            raced = await node.records(3)
            silent.go_on.set()
        work = sending.result()

    assert [(r.channel, r.send, r.flags) for r in raced] == [(2, 2, Flag.POSSIBLE_DUPLICATE)] * 3
    assert work.parked
    assert [(r.state, r.flags) for r in await node.records(3)] == [(State.DELIVERED, Flag.POSSIBLE_DUPLICATE)] * 3


async def test_a_race_that_the_second_one_loses_changes_nothing(
    redis: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second provider refuses; the first one, slow but sound, still delivers."""
    monkeypatch.setattr(sender, "RACE", SILENCE)
    silent = Silent()
    async with ready(two(redis, tmp_path), 2, klass=Class.P0) as node, asyncio.timeout(10):
        node.adapter.before = silent
        node.adapters["second"].answers = [Outcome(verdict=Verdict.REJECTED, reason="invalid_address")]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(node.send())
            while not node.adapters["second"].batches:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
            silent.go_on.set()

    assert [r.state for r in await node.records(2)] == [State.DELIVERED] * 2


async def test_a_race_that_nobody_knows_the_end_of_stays_in_doubt(
    redis: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second provider may have told people before the first one failed: a cancel must reach them."""
    monkeypatch.setattr(sender, "RACE", SILENCE)
    silent = Silent()
    async with ready(two(redis, tmp_path), 2, klass=Class.P0) as node, asyncio.timeout(10):
        node.adapter.before = silent
        node.adapter.answers = [Outcome(verdict=Verdict.RETRY, reason="connection_failed", scope=Scope.PROVIDER)]
        unknown = Outcome(verdict=Verdict.UNKNOWN, reason="timeout", scope=Scope.PROVIDER)
        node.adapters["second"].answers = [unknown]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(node.send())
            while not all(r.flags & Flag.IN_DOUBT for r in await node.records(2)):
                await asyncio.sleep(0.02)
            silent.go_on.set()

    found = await node.records(2)
    assert [r.state for r in found] == [State.RETRYING] * 2
    assert all(r.flags & Flag.IN_DOUBT and r.flags & Flag.POSSIBLE_DUPLICATE for r in found)


async def test_other_news_does_not_race(redis: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only flash news is worth a possible second copy to everybody."""
    monkeypatch.setattr(sender, "RACE", 0.0)
    silent = Silent()
    async with ready(two(redis, tmp_path), 2, klass=Class.P1) as node, asyncio.timeout(10):
        node.adapter.before = silent
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(node.send())
            await asyncio.sleep(sender.SLOW * 3)
            silent.go_on.set()

    assert node.adapters["second"].batches == []
    assert [r.flags for r in await node.records(2)] == [Flag(0)] * 2
