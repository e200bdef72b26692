"""Single records written without a lease."""

import pytest

from relay.fanout.ids import DeliveryRef
from relay.tracking.states import Record, State
from relay.tracking.writes import Writes
from tests.contract.engine_side import Engine

DELIVERED = Record(state=State.DELIVERED, ended=3)


@pytest.fixture
def writes(engine: Engine) -> Writes:
    return Writes(engine.legs, engine.chunks)


async def test_record_of_any_segment(engine: Engine, writes: Writes) -> None:
    """A rank finds its segment and position."""
    leg = await engine.leg([4000, 10])
    place = await writes.leg(DeliveryRef(leg, 4003))
    assert place is not None

    assert await writes.write(place, DELIVERED)
    assert Record.unpack(await engine.legs.records(leg, 1, first=3, last=4)) == DELIVERED
    assert await engine.counts(leg) == {State.DELIVERED: 1, State.QUEUED: 4009}


@pytest.mark.parametrize("rank", [10, 3999, 4000, 10**9])
async def test_rank_beyond_the_leg(engine: Engine, writes: Writes, rank: int) -> None:
    """A reference that was made up finds nothing."""
    leg = await engine.leg([10])

    assert await writes.leg(DeliveryRef(leg, rank)) is None
    assert await writes.leg(DeliveryRef("aaaaaaaaaaaaa", 0)) is None


async def test_leg_that_went_meanwhile(engine: Engine, writes: Writes) -> None:
    """Between the look and the write everything was lost: the writer is told."""
    leg = await engine.leg([10])
    place = await writes.leg(DeliveryRef(leg, 0))
    await engine.redis.call("FLUSHALL")
    assert place is not None

    assert not await writes.write(place, DELIVERED)


async def test_times_count_from_the_start(engine: Engine, writes: Writes) -> None:
    """Hundredths of a second since the leg was made, never negative; over means stopped or expired."""
    leg = await engine.leg([10], expires_in=100)
    place = await writes.leg(DeliveryRef(leg, 0))
    assert place is not None
    start = place.leg.cursor.start / 1000

    assert place.centi(start + 12.346) == 1234
    assert place.centi(start - 5) == 0
    assert (place.over(start + 99), place.over(start + 101)) == (False, True)
