"""The index that a worker matches against: it knows every change made before it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from relay.adapter import Kind
from relay.cap.model import Alert, Area, Circle, Info, Time
from relay.errors import StoreUnavailable
from relay.fanout.audience import IndexMatcher
from relay.settings import Settings
from relay.store.connection import Connection
from relay.store.directory import DirectoryStore
from relay.store.keys import DIR_EPOCH
from relay.testing.clocks import START, FakeClock

HERE = Area(area_desc="Almaty", circles=(Circle(43.24, 76.89, 10, "43.24,76.89 10"),))


class World:
    """A directory, and an index of it."""

    def __init__(self, redis: Connection, folder: Path) -> None:
        self.redis = redis
        self.folder = folder
        self.store = DirectoryStore(redis)
        self.restart()

    def restart(self) -> None:
        self.matcher = IndexMatcher(self.store, settings=Settings(), data_dir=self.folder, clock=FakeClock())

    async def put(self, *ids: str, lat: float = 43.24, drills: bool = True) -> None:
        places = await self.store.allocate(list(ids), epoch="one")
        await self.store.write(
            {
                place.ordinal: orjson.dumps(
                    {
                        "id": recipient_id,
                        "addresses": [{"kind": "sms", "value": "+77010000001"}],
                        "location": {"lat": lat, "lon": 76.89},
                        "drills": drills,
                    }
                )
                for recipient_id, place in zip(ids, places, strict=True)
            }
        )

    async def matched(self, *areas: Area, drill: bool = False) -> list[int]:
        found = await self.matcher.match(an_alert(*areas), drill=drill)
        pairs = found.pairs.get(Kind.SMS)
        ordinals = [] if pairs is None else [int(o) for o in pairs.ordinals]
        assert found.recipients == len(ordinals)
        return ordinals


def an_alert(*areas: Area) -> Alert:
    info = Info(category=("Met",), event="Flood", urgency="Expected", severity="Severe", certainty="Likely", area=areas)
    return Alert(
        identifier="a-1",
        sender="duty@meteo.example",
        sent=Time(START.isoformat(), START),
        status="Actual",
        msg_type="Alert",
        scope="Public",
        info=(info,),
    )


@pytest.fixture
def world(redis: Connection, tmp_path: Path) -> World:
    return World(redis, tmp_path)


async def test_change_before_the_question_counts(world: World) -> None:
    """Put, moved away, taken out: each is known to the very next match; who opted out is planned, to say why not."""
    await world.put("a", "b", "c")
    first = await world.matched(HERE)
    await world.put("a", lat=50.0)
    await world.store.opt_out(1, 0)
    second = await world.matched(HERE)
    await world.store.remove("c", b'{"id":"c","deleted":true}')

    assert (first, second) == ([0, 1, 2], [1, 2])
    assert await world.matched(HERE) == [1]
    assert world.matcher.size == 2


async def test_area_never_widens(world: World) -> None:
    """No area, an empty one and one without a shape reach nobody."""
    await world.put("a")

    assert await world.matched() == []
    assert await world.matched(Area(area_desc="Almaty")) == []


async def test_drill_reaches_those_who_drill(world: World) -> None:
    """And a real alert reaches them too."""
    await world.put("a", drills=False)
    await world.put("b")

    assert (await world.matched(HERE, drill=True), await world.matched(HERE)) == ([1], [0, 1])


async def test_lost_directory_matches_nobody(world: World) -> None:
    """While it is being restored the plan waits: a part of the people is not the people."""
    await world.put("a")
    await world.matched(HERE)
    await world.redis.call("DEL", DIR_EPOCH)

    with pytest.raises(StoreUnavailable):
        await world.matched(HERE)


async def test_rebuilt_directory_is_read_anew(world: World) -> None:
    """Under another name nothing of the old index counts."""
    await world.put("a", "b")
    await world.matched(HERE)
    await world.redis.call("FLUSHALL")
    await world.put("z")

    assert await world.matched(HERE) == [0]
    assert world.matcher.size == 1


async def test_directory_that_changes_its_name_while_it_is_read(world: World) -> None:
    """What was read then may be the rest of a directory that is being lost."""
    await world.put("a")
    scan = world.store.scan

    async def late(**values: int) -> AsyncIterator[list[tuple[int, bytes]]]:
        async for batch in scan(**values):
            yield batch
        await world.redis.call("SET", DIR_EPOCH, "two")

    world.store.scan = late  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await world.matched(HERE)
    world.store.scan = scan  # type: ignore[method-assign]

    assert await world.matched(HERE) == [0]


async def test_restart_begins_with_what_was_saved(world: World) -> None:
    """The index comes from the disk, and the changes since from the stream."""
    await world.put("a")
    stopping = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.matcher.run(stopping))
        while not (world.folder / "index.npz").exists():
            await asyncio.sleep(0.01)
        stopping.set()
    await world.put("b")
    world.restart()
    await world.matcher._restore()
    restored = world.matcher.size

    assert restored == 1
    assert await world.matched(HERE) == [0, 1]
