"""Outcomes of the last seconds are told again when Redis may have forgotten them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.fanout.replay import GIVE_UP, REMEMBER, Replay
from relay.fanout.segment import Segment
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks
from relay.store.cursor import Cursor
from relay.store.legs import Leg, Legs
from relay.store.settlement import Settled, Settlement
from relay.testing.clocks import FakeClock
from relay.tracking.states import Record, State

CHUNK = Chunk(
    member="leg|0|0|4",
    token="token",
    lane="sms",
    how="fresh",
    klass=Class.P1,
    flags=0,
    start_ms=1_000_000,
    expires_ms=9_000_000,
    leg_id="leg",
    segment=0,
    first=0,
    last=4,
)


def a_segment(ordinals: list[int], number: int = 0) -> Segment:
    count = len(ordinals)
    return Segment(np.array(ordinals, np.uint32), np.zeros(count, np.uint8), np.zeros(count, np.uint16), number)


def told(records: Mapping[int, Record], *, leg_id: str = "leg") -> Settlement:
    """Return a settle of the chunk."""
    return Settlement(
        leg_id=leg_id,
        alert_id="alert",
        lane="sms",
        klass=Class.P1,
        segment=0,
        size=4,
        records=records,
        chunk=CHUNK,
        final=True,
        retry_at=5,
        log=b"log",
    )


class Store:
    """A store that remembers what it is told, and can be away, empty, or busy."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.start = CHUNK.start_ms
        self.settled: list[Settlement] = []
        self.away = False
        self.meanwhile: object = None

    async def get(self, leg_id: str) -> Leg | None:
        if self.away:
            raise StoreUnavailable("away")
        if not self.segments:
            return None
        sizes = tuple(len(s) for s in self.segments)
        return Leg(leg_id, {}, Cursor(klass=Class.P1, expires=9e6, start=self.start, sizes=sizes), {})

    async def segment(self, leg_id: str, number: int) -> Segment | None:
        return self.segments[number]

    async def settle(self, settlement: Settlement) -> Settled | None:
        if callable(self.meanwhile):
            self.meanwhile()
            self.meanwhile = None
        self.settled.append(settlement)
        return Settled(0, lost=False, done=False) if self.segments else None


class World:
    """A replay over a store."""

    def __init__(self) -> None:
        self.store, self.clock = Store(), FakeClock()
        self.replay = Replay(cast("Chunks", self.store), cast("Legs", self.store), clock=self.clock)

    @property
    def records(self) -> list[Mapping[int, Record]]:
        """Return what was told again, in order."""
        return [settlement.records for settlement in self.store.settled]


@pytest.fixture
def world() -> World:
    return World()


SENT = Record(state=State.DELIVERED, send=1, ended=50)
SEGMENT = a_segment([10, 20, 30, 40])


async def test_nothing_is_told_again_without_a_reason(world: World) -> None:
    """As long as Redis has forgotten nothing, nothing is owed."""
    world.replay.remember(told({0: SENT}), SEGMENT)
    world.store.segments = [SEGMENT]
    await world.replay.repeat("leg")

    assert not world.replay.owing
    assert world.records == []


async def test_last_seconds_are_told_again(world: World) -> None:
    """After a loss the settles of the last ten seconds are repeated once, without lease, retry or log.

    The leg is looked at now: the look at a receipt deadline that the settle had asked for was forgotten as well.
    """
    world.replay.remember(told({0: SENT}), SEGMENT)
    world.clock.advance(REMEMBER + 1)
    world.replay.remember(told({1: SENT}), SEGMENT)
    world.replay.forgotten()
    world.store.segments = [SEGMENT]
    await world.replay.repeat_all()
    await world.replay.repeat_all()

    assert world.records == [{1: SENT}]
    now = int(world.clock.time() * 1000)
    bare = replace(told({1: SENT}), chunk=None, final=False, retry_at=0, log=b"", check_at=now)
    assert world.store.settled[0] == bare
    assert not world.replay.owing


async def test_people_are_found_at_their_new_ranks(world: World) -> None:
    """The leg was planned anew with other people: outcomes follow the people, over segments; the absent are left out."""
    world.replay.remember(told({0: SENT, 1: SENT, 3: SENT}), SEGMENT)
    world.replay.forgotten()
    world.store.segments = [a_segment([5, 10]), a_segment([35, 40], 1)]
    await world.replay.repeat("leg")

    assert [(s.segment, s.size, dict(s.records)) for s in world.store.settled] == [(0, 2, {1: SENT}), (1, 2, {1: SENT})]


async def test_other_slot_is_another_delivery(world: World) -> None:
    """The same person's other address was not told."""
    world.replay.remember(told({0: SENT}), SEGMENT)
    world.replay.forgotten()
    world.store.segments = [replace(SEGMENT, slots=np.ones(4, np.uint8))]
    await world.replay.repeat("leg")

    assert world.records == []


async def test_stronger_truth_survives_the_order(world: World) -> None:
    """The settle that found the leg gone is owed before the older ones: the older hid its delivered ones."""
    world.replay.remember(told({0: Record(state=State.SENDING, send=1, channel=1)}), SEGMENT)
    world.replay.owe(told({0: SENT}), SEGMENT)
    world.replay.forgotten()
    world.store.segments = [SEGMENT]
    await world.replay.repeat("leg")

    assert [r[0].state for r in world.records] == [State.DELIVERED]
    assert world.records[0][0].channel == 1


async def test_times_follow_the_new_start(world: World) -> None:
    """Times count from the leg's start: after an hour's leg was planned anew, a retry came an hour late."""
    retry = Record(state=State.RETRYING, send=2, due=360_500, accepted=7)
    world.replay.remember(told({0: retry}), SEGMENT)
    world.replay.forgotten()
    world.store.segments, world.store.start = [SEGMENT], CHUNK.start_ms + 3_600_000
    await world.replay.repeat("leg")

    assert world.records == [{0: replace(retry, due=500, accepted=1)}]


async def test_waits_for_the_leg(world: World) -> None:
    """Until the journal has brought the leg back, outcomes are kept; while Redis is away too."""
    world.replay.owe(told({0: SENT}), SEGMENT)
    await world.replay.repeat_all()
    world.store.away = True
    await world.replay.repeat_all()
    with pytest.raises(StoreUnavailable):
        await world.replay.repeat("leg")
    world.store.away, world.store.segments = False, [SEGMENT]
    owing = world.replay.owing
    await world.replay.repeat_all()

    assert owing
    assert world.records == [{0: SENT}]


async def test_what_is_owed_meanwhile_is_kept(world: World) -> None:
    """An outcome that comes while others are being repeated was dropped with them."""
    world.replay.owe(told({0: SENT}), SEGMENT)
    world.store.segments = [SEGMENT]
    world.store.meanwhile = lambda: world.replay.owe(told({2: SENT}), SEGMENT)
    await world.replay.repeat("leg")
    await world.replay.repeat("leg")

    assert world.records == [{0: SENT}, {2: SENT}]
    assert not world.replay.owing


async def test_leg_that_goes_again_is_still_owed(world: World) -> None:
    """The leg vanished between the look and the settle: nothing is forgotten."""
    world.replay.owe(told({0: SENT}), SEGMENT)
    world.store.segments = [SEGMENT]
    world.store.meanwhile = world.store.segments.clear
    await world.replay.repeat("leg")

    assert world.replay.owing


async def test_gives_up_on_what_never_comes_back(world: World) -> None:
    """A leg that does not return is given up after two minutes."""
    world.replay.owe(told({0: SENT}), SEGMENT)
    world.clock.advance(GIVE_UP + 1)
    await world.replay.repeat_all()

    assert not world.replay.owing
