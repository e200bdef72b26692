"""Leases: work in hand is kept alive, and stopped when it may not go on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.fanout.leases import Leases
from relay.fanout.replay import Replay
from relay.fanout.settling import Work
from relay.settings import Engine
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks
from relay.testing.clocks import FakeClock


def a_chunk(first: int = 0, last: int = 10, *, leg: str = "leg", segment: int = 0) -> Chunk:
    return Chunk(
        member=f"{leg}|{segment}|{first}|{last}",
        token="token",
        lane="sms",
        how="fresh",
        klass=Class.P1,
        flags=0,
        start_ms=0,
        expires_ms=1,
        leg_id=leg,
        segment=segment,
        first=first,
        last=last,
    )


class Server:
    """Renews leases with the flags a test sets."""

    def __init__(self) -> None:
        self.flags: dict[str, int] = {}
        self.renewed: list[list[str]] = []
        self.away = False

    async def renew(self, chunks: Sequence[Chunk], *, lease_ms: int, flash_ms: int) -> list[int]:
        if self.away:
            raise StoreUnavailable("away")
        assert (lease_ms, flash_ms) == (200, 100)
        self.renewed.append([chunk.member for chunk in chunks])
        return [self.flags.get(chunk.member, 0) for chunk in chunks]


class Forgetful:
    """Counts how often everything was to be told again."""

    def __init__(self) -> None:
        self.times = 0

    def forgotten(self, place: int | None) -> None:
        self.times += 1


class World:
    def __init__(self) -> None:
        self.server, self.replay, self.clock = Server(), Forgetful(), FakeClock()
        engine = Engine(lease=0.2, lease_flash=0.1, fence=7)
        self.leases = Leases(cast("Chunks", self.server), cast("Replay", self.replay), engine=engine, clock=self.clock)


@pytest.fixture
def world() -> World:
    return World()


def test_first_epoch_is_no_loss(world: World) -> None:
    """What a worker hears first is no change; the same again neither."""
    world.leases.heard("a")
    world.leases.heard("a")

    assert world.replay.times == 0
    assert not world.leases.unsure


def test_another_epoch_is_a_loss(world: World) -> None:
    """Another server run, or an emptied store: everything is told again, and fresh chunks are read for a minute."""
    changed = asyncio.Event()
    world.leases.on_change.append(changed)
    world.leases.heard("a")
    world.leases.heard("b")
    unsure = world.leases.unsure
    world.clock.advance(61)

    assert world.replay.times == 1
    assert changed.is_set()
    assert unsure
    assert not world.leases.unsure


def test_fence_is_for_others(world: World) -> None:
    """Only what other workers hold has to be waited for."""
    alone = world.leases.fence_ms
    world.leases.alone = False

    assert (alone, world.leases.fence_ms) == (0, 7000)


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (a_chunk(10, 20), True),
        (a_chunk(0, 11), True),
        (a_chunk(19, 30), True),
        (a_chunk(12, 13), True),
        (a_chunk(20, 30), False),
        (a_chunk(0, 10), False),
        (a_chunk(10, 20, segment=1), False),
        (a_chunk(10, 20, leg="other"), False),
    ],
)
def test_overlap_with_work_in_hand(world: World, other: Chunk, overlaps: bool) -> None:
    """A range that this worker still sends under a forgotten lease is not sent beside itself."""
    with world.leases.holding(Work(a_chunk(10, 20))):
        found = world.leases.overlaps(other)
        in_hand = world.leases.in_hand

    assert found is overlaps
    assert in_hand == 1
    assert not world.leases.overlaps(other)
    assert world.leases.in_hand == 0


def test_work_is_let_go_after_a_failure(world: World) -> None:
    """A chunk that failed is not renewed any more: its lease runs out."""
    with pytest.raises(RuntimeError), world.leases.holding(Work(a_chunk())):
        raise RuntimeError

    assert world.leases.in_hand == 0


@pytest.mark.parametrize(("flags", "stopped"), [(0, False), (8, False), (1, True), (2, True), (4, True), (-1, True)])
async def test_renewing_hears_of_the_leg(world: World, flags: int, stopped: bool) -> None:
    """Cancelled, superseded, expired or lost: the sender hears of it with the next beat; "again" is no reason to stop."""
    work, stopping = Work(a_chunk()), asyncio.Event()
    world.server.flags = {work.chunk.member: flags}
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.leases.run(stopping))
        with world.leases.holding(work):
            while not any(world.server.renewed):
                await asyncio.sleep(0.005)
        stopping.set()

    assert work.stopped.is_set() is stopped


async def test_renews_until_nothing_is_in_hand(world: World) -> None:
    """While the last chunks are finished after a stop their leases stay alive, also over a short absence of Redis."""
    work, stopping = Work(a_chunk()), asyncio.Event()
    stopping.set()
    world.server.away = True
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        with world.leases.holding(work):
            running = tasks.create_task(world.leases.run(stopping))
            await asyncio.sleep(0.06)
            world.server.away = False
            while not any(world.server.renewed):
                await asyncio.sleep(0.005)
            held = running.done()

    assert not held


async def test_an_ending_worker_gives_its_work_back(world: World) -> None:
    """What was not begun is due at once for the others, and each chunk that leaves this worker's hands wakes one."""
    work, stopping = Work(a_chunk()), asyncio.Event()
    woken: list[int] = []

    async def wake() -> None:
        woken.append(world.leases.in_hand)

    world.leases.on_release = wake
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.leases.run(stopping))
        with world.leases.holding(work):
            before = work.stopped.is_set()
            stopping.set()
            await work.stopped.wait()

    assert not before
    assert work.retry_at == int(world.clock.time() * 1000)
    assert woken == [0]
