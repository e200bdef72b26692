"""Publishing: a leg never stands on segments that are not there."""

from __future__ import annotations

import pytest

from relay.errors import StoreUnavailable
from relay.fanout.publisher import FEW
from tests.contract.engine_side import Engine
from tests.contract.planner_side import World


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


async def test_segments_lost_before_publication_are_planned_again(world: World) -> None:
    """Redis was emptied and filled again in between: the leg was published with nobody behind it, for ever."""
    await world.accept("a")
    world.crowd.ordinals = range(FEW + 1)  # those of fewer people come along with what publishes them

    async def lose() -> None:
        keys = await world.engine.redis.call("KEYS", "*:s:*")
        await world.engine.redis.call("DEL", *keys)

    publish = world.engine.legs.publish

    async def late(*args: object, **values: object) -> str:
        await lose()
        return await publish(*args, **values)  # type: ignore[arg-type]

    world.engine.legs.publish = late  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await world.planner.plan("a")
    world.engine.legs.publish = publish  # type: ignore[method-assign]

    assert await world.state("a") == "accepted"
    assert await world.planner.plan("a") == "active"
