"""Housekeeping: what has had its time goes."""

from relay.errors import StoreUnavailable
from relay.fanout.ids import DeliveryRef
from relay.store.sweep import Sweep
from relay.tracking.housekeeping import Housekeeping
from relay.tracking.states import Record, State
from tests.contract.kept_side import World


async def test_old_files_go(world: World) -> None:
    """With keep_days an archived alert goes with its file and its late words when it is older."""
    leg = await world.archived()
    place = await world.writes.leg(DeliveryRef(leg, 0))
    assert place is not None
    await world.writes.write(place, Record(state=State.ACKNOWLEDGED, answer=1, due=77))
    keeping = Housekeeping(world.archive, [], keep_days=30, clock=world.clock)
    await keeping.once()
    young = len(world.files())
    world.clock.advance(31 * 24 * 3600)
    await keeping.once()

    assert young == 1
    assert world.files() == []
    assert list(world.folder.glob("*/*.late")) == []
    assert await world.alerts.get("alert") is None
    assert world.archive.figures().alerts == 0


async def test_redis_that_is_away_is_no_matter(world: World) -> None:
    """What cannot be swept now is swept the next time."""

    class Away(Sweep):
        async def once(self, *, now_ms: int) -> int:
            raise StoreUnavailable("away")

    await Housekeeping(
        world.archive, [Away(world.engine.redis, world.engine.keys)], keep_days=0, clock=world.clock
    ).once()
