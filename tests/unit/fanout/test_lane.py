"""A lane claims while a slot is free and sends side by side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from relay.adapter import Class, Kind
from relay.errors import StoreUnavailable
from relay.fanout.bell import Bells
from relay.fanout.lane import PARKED, TOGETHER, URGENT_SLOTS, Lane
from relay.fanout.leases import Leases
from relay.fanout.prepare import Gate, Preparer
from relay.fanout.replay import Replay
from relay.fanout.sender import Sender
from relay.fanout.settling import Work
from relay.settings import Engine
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks, Claimed, Nothing
from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.testing.clocks import FakeClock


@dataclass
class World:
    """A server that gives chunks, and a sender that takes its time."""

    waiting: int = 0
    urgent_waiting: int = 0
    away: int = 0
    fails: bool = False
    same_range: bool = False
    size: int = 500
    gate: Gate = field(default_factory=Gate)
    asked: list[bool] = field(default_factory=list)
    sending: list[Work] = field(default_factory=list)
    sent: int = 0
    most_at_once: int = 0
    together: list[int] = field(default_factory=list)
    how: str = "fresh"
    klass: Class = Class.P1
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def claim(self, lane: str, *, urgent: bool, count: int = 1, **_: Any) -> Claimed:
        await asyncio.sleep(0)
        first = self._claim(lane, urgent)
        more = [self._claim(lane, urgent) for _ in range(count - 1)] if isinstance(first.found, Chunk) else []
        return Claimed(first.found, first.epoch, more=[c.found for c in more if isinstance(c.found, Chunk)])

    def _claim(self, lane: str, urgent: bool) -> Claimed:
        self.asked.append(urgent)
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        if self.urgent_waiting:
            self.urgent_waiting -= 1
        elif self.waiting and not urgent:
            self.waiting -= 1
        else:
            return Claimed(Nothing(0.01, fenced=False), "epoch")
        number = 0 if self.same_range else len(self.asked)
        chunk = Chunk(
            member=f"leg|0|{number * self.size}|{(number + 1) * self.size}",
            token="token",
            lane=lane,
            how=self.how,
            klass=self.klass,
            flags=0,
            start_ms=0,
            expires_ms=1,
            leg_id="leg",
            segment=0,
            first=number * self.size,
            last=(number + 1) * self.size,
        )
        return Claimed(chunk, "epoch")

    async def send(self, work: Work, *others: Work) -> None:
        self.sending.append(work)
        self.together.append(1 + len(others))
        self.most_at_once = max(self.most_at_once, len(self.sending))
        try:
            await self.go_on.wait()
            if self.fails:
                raise ZeroDivisionError
            self.sent += 1
        finally:
            self.sending.remove(work)

    def forgotten(self) -> None:
        """Nothing to tell again here."""

    def shut(self, _kind: Kind) -> bool:
        return self.gate.stopped


class Running:
    """The lane, running until the block ends."""

    def __init__(self, world: World, *, slots: int = 3) -> None:
        clock = FakeClock()
        engine = Engine(slots=slots)
        chunks = cast("Chunks", world)
        bells = Bells(cast("Connection", None), Partition(), [Kind.SMS], look=1.0)
        self.leases = Leases(chunks, cast("Replay", world), engine=engine, clock=clock)
        self.lane = Lane(
            Kind.SMS,
            chunks=chunks,
            sender=cast("Sender", world),
            leases=self.leases,
            bells=bells,
            preparer=cast("Preparer", world),
            engine=engine,
            most=500,
        )
        self.stopping = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._bound = asyncio.timeout(5)

    async def __aenter__(self) -> Running:
        await self._bound.__aenter__()
        await self._tasks.__aenter__()
        self.task = self._tasks.create_task(self.lane.run(self.stopping))
        return self

    async def __aexit__(self, *error: Any) -> None:
        self.stopping.set()
        await self._tasks.__aexit__(*error)
        await self._bound.__aexit__(*error)


@pytest.fixture
def world() -> World:
    return World()


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.002)


async def test_slots_bound_what_is_in_hand(world: World) -> None:
    """Ordinary work fills the slots; above them only urgent news is asked for, and bounded too."""
    world.waiting, world.urgent_waiting = 20, 0
    async with Running(world) as running:
        await until(lambda: len(world.sending) == 3 and world.asked[-1])
        world.urgent_waiting = 10
        await until(lambda: len(world.sending) == 3 + URGENT_SLOTS)
        await asyncio.sleep(0.02)
        at_once = running.leases.in_hand
        world.go_on.set()
        await until(lambda: world.sent == 30)

    assert at_once == world.most_at_once == 3 + URGENT_SLOTS


async def test_finishes_what_is_in_hand(world: World) -> None:
    """After a stop nothing new is claimed, and the lane ends when the last chunk is sent."""
    world.waiting = 2
    async with Running(world) as running:
        await until(lambda: len(world.sending) == 2)
        running.stopping.set()
        await asyncio.sleep(0.03)
        still = running.task.done()
        world.waiting = 5
        world.go_on.set()

    assert not still
    assert (world.sent, world.waiting) == (2, 5)


async def test_goes_on_after_redis_was_away(world: World) -> None:
    """A claim that fails is repeated after a pause."""
    world.waiting, world.away = 1, 1
    world.go_on.set()
    async with Running(world):
        await until(lambda: world.sent == 1)

    assert len(world.asked) >= 2


async def test_a_chunk_that_fails_does_not_end_the_lane(world: World) -> None:
    """One chunk's defect is logged; its lease runs out, and the next chunk is sent."""
    world.waiting, world.fails = 1, True
    world.go_on.set()
    async with Running(world) as running:
        await until(lambda: world.waiting == 0 and not world.sending and running.leases.in_hand == 0)
        world.fails, world.waiting = False, 1
        await until(lambda: world.sent == 1)
        alive = not running.task.done()

    assert alive


async def test_range_in_hand_is_not_sent_twice(world: World) -> None:
    """A lease of what this worker still sends is left alone."""
    world.waiting, world.same_range = 3, True
    async with Running(world):
        await until(lambda: world.waiting == 0)
        await asyncio.sleep(0.01)
        at_once = len(world.sending)
        world.go_on.set()

    assert at_once == world.sent == 1


async def test_stop_switch_claims_nothing(world: World) -> None:
    """While the big stop is set no chunk is claimed; when it ends the lane goes on."""
    world.waiting, world.gate = 1, Gate(stopped=True)
    world.go_on.set()
    async with Running(world):
        await asyncio.sleep(0.03)
        asked = len(world.asked)
        world.gate = Gate()
        await until(lambda: world.sent == 1)

    assert asked == 0


async def test_chunk_that_waits_for_a_slow_provider_gives_its_slot_away(world: World) -> None:
    """One provider that does not answer must not keep the other channels of its lane back; even that has a bound."""
    world.waiting = 1000
    async with Running(world) as running:
        await until(lambda: len(world.sending) == 3)
        while len(world.sending) < PARKED:
            before = len(world.sending)
            for work in list(world.sending):
                if not work.parked:
                    work.park()
            await until(lambda before=before: len(world.sending) > before)
        for work in list(world.sending):
            if not work.parked:
                work.park()
        await until(lambda: world.asked[-3:] == [True] * 3)
        assert len(world.sending) < PARKED + 3
        world.go_on.set()
        world.waiting = 0
        await until(lambda: not world.sending)

    assert running.lane.idle


async def test_small_chunks_take_small_room(world: World) -> None:
    """Many alerts to a few people each go side by side, where one to many takes a whole slot."""
    world.size, world.waiting = 5, 1000
    async with Running(world, slots=1) as running:
        await until(lambda: world.asked[-3:] == [True] * 3)
        at_once = len(world.sending)
        world.go_on.set()
        world.waiting = 0
        await until(lambda: running.lane.idle)

    assert 10 <= at_once <= 20


@pytest.mark.parametrize(
    ("klass", "how", "most"),
    [(Class.P3, "fresh", TOGETHER), (Class.P3, "again", 1), (Class.P3, "retry", 1), (Class.P1, "fresh", 1)],
)
async def test_small_fresh_chunks_go_together(world: World, klass: Class, how: str, most: int) -> None:
    """After small chunks more are asked for at once; urgent ones, and those that come back, each go by themselves."""
    world.klass, world.how, world.size, world.waiting = klass, how, 5, 60
    world.go_on.set()
    async with Running(world) as running:
        await until(lambda: sum(world.together) == 60)
        running.stopping.set()

    assert max(world.together) == most
