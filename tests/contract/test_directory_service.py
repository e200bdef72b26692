"""The directory over real servers: what Redis loses comes back from the copy, ordinals and opt-outs included."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from relay.directory.copy import Copy
from relay.directory.recipient import Parsed, Recipient, from_json, to_json
from relay.directory.service import Directory
from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.directory import DirectoryStore
from relay.store.keys import DIR_CHANGES, DIR_EPOCH, DIR_IDS, DIR_NEXT, DIR_RUN, dir_recipients
from relay.testing.clocks import FakeClock


class World:
    """A directory with its copy; :meth:`restart` is another process on the same disk."""

    def __init__(self, redis: Connection, folder: Path) -> None:
        self.redis = redis
        self.folder = folder
        self.store = DirectoryStore(redis)
        self.restart()

    def restart(self) -> None:
        self.copy = Copy(self.folder)
        self.directory = Directory(self.store, self.copy, clock=FakeClock())

    async def put(self, *recipients: Recipient) -> tuple[int, int]:
        stored = await self.directory.store([Parsed(recipient=recipient) for recipient in recipients])
        return stored.created, stored.updated

    async def ordinals(self, *ids: str) -> list[int | None]:
        return [await self.store.ordinal(recipient_id) for recipient_id in ids]


def person(recipient_id: str, *numbers: int) -> Recipient:
    addresses = [{"kind": "sms", "value": f"+7701{number:07d}"} for number in numbers or (1,)]
    return from_json(orjson.dumps({"id": recipient_id, "addresses": addresses}))


@pytest.fixture
async def world(redis: Connection, tmp_path: Path) -> World:
    made = World(redis, tmp_path)
    await made.directory.recover()
    return made


async def test_new_directory_gets_a_name(world: World) -> None:
    """An empty one is named at once, so that one without a name is known to be lost."""
    assert await world.store.epoch() == world.copy.epoch != ""
    assert world.directory.synced.is_set()


async def test_put_and_get(world: World) -> None:
    """What was new and what was there is counted; the last of two lines for one person counts."""
    first = await world.put(person("a"), person("b"))
    second = await world.put(person("a", 5), person("a", 6), person("c"))
    found = await world.directory.get("a")

    assert (first, second) == ((2, 0), (1, 2))
    assert found == person("a", 6)
    assert await world.directory.get("nobody") is None


async def test_opt_out_stays_with_its_address(world: World) -> None:
    """An edit that moves the number to another place does not let messages reach it again."""
    await world.put(person("a", 1, 2))
    await world.store.opt_out(0, 0)
    await world.put(person("a", 2, 1))

    assert await world.store.denied([0]) == [2]


async def test_total_loss_comes_back_from_the_copy(world: World) -> None:
    """FLUSHALL: ids, ordinals, opt-outs and who was taken out are as before, and the name is new."""
    await world.put(person("a"), person("b", 1, 2), person("c"))
    await world.store.opt_out(1, 1)
    await world.directory.delete("c")
    await world.directory.catch_up()
    before = world.copy.epoch
    await world.redis.call("FLUSHALL")
    world.restart()
    await world.directory.recover()

    assert await world.ordinals("a", "b", "c") == [0, 1, None]
    assert await world.store.denied([0, 1, 2]) == [0, 2, 255]
    assert await world.store.epoch() not in ("", before)
    assert await world.put(person("d")) == (1, 0)
    assert await world.ordinals("d") == [3]


async def test_loss_during_the_restoration_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Emptied again halfway: the rest of a directory is never taken for the whole."""
    await world.put(*(person(f"r{n}") for n in range(5)))
    await world.directory.catch_up()
    await world.redis.call("FLUSHALL")
    restored = world.store.restored

    async def late(epoch: str, *, recipients: int, span: int) -> None:
        await world.redis.call("FLUSHALL")
        await restored(epoch, recipients=recipients, span=span)

    monkeypatch.setattr(world.store, "restored", late)
    with pytest.raises(StoreUnavailable):
        await world.directory.recover()
    unnamed = await world.store.epoch()
    monkeypatch.undo()
    await world.directory.recover()

    assert unnamed == ""
    assert await world.ordinals("r0", "r4") == [0, 4]


async def test_nobody_gets_an_ordinal_of_a_lost_directory(world: World) -> None:
    """Between the loss and the return an edit waits: else two people would share an ordinal."""
    await world.put(person("a"))
    await world.directory.catch_up()
    await world.redis.call("FLUSHALL")

    with pytest.raises(StoreUnavailable):
        await world.put(person("b"))


async def test_copy_of_another_directory_is_replaced(world: World) -> None:
    """A node that was away while the directory was rebuilt reads it anew."""
    await world.put(person("a"))
    await world.directory.catch_up()
    await world.redis.call("SET", DIR_EPOCH, "another")
    await world.put(person("b"))
    world.restart()
    await world.directory.recover()

    assert world.copy.epoch == "another"
    assert sorted(Copy(world.folder).read()) == [0, 1]


async def test_copy_follows(world: World) -> None:
    """Changes reach the copy within a moment, and a loss is noticed and repaired while it runs."""
    stopping = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.directory.run(stopping))
        await world.put(person("a"))
        while len(await asyncio.to_thread(Copy(world.folder).read)) < 1:
            await asyncio.sleep(0.01)
        await world.redis.call("FLUSHALL")
        while await world.ordinals("a") != [0] or not world.directory.synced.is_set():
            await asyncio.sleep(0.01)
        stopping.set()

    assert await world.directory.get("a") == person("a")


async def test_two_who_follow_do_not_set_each_other_back(world: World) -> None:
    """The end of an import and the running part wrote the same changes, the older position last."""
    async with asyncio.TaskGroup() as tasks:
        for n in range(20):
            await world.put(person("a", n + 1))
            tasks.create_task(world.directory.catch_up())
    await world.directory.catch_up()
    copy = Copy(world.folder)
    rows = copy.read()

    assert from_json(rows[0].text) == person("a", 20)
    assert copy.position == await world.store.position()


async def test_import_ends_on_disks(world: World) -> None:
    """When it is answered it is in the copy, whatever the server can say of its own disk."""
    stored = await world.directory.import_batch([Parsed(recipient=person(f"r{n}")) for n in range(10)])
    await world.directory.finish_import()

    assert (stored.created, stored.updated) == (10, 0)
    assert len(Copy(world.folder).read()) == 10


async def test_delete_twice(world: World) -> None:
    """The second time he is not there."""
    await world.put(person("a"))

    assert [await world.directory.delete("a"), await world.directory.delete("a")] == [True, False]


async def stale(world: World, *, forgotten: int) -> None:
    """Make the server one that took over without the last ``forgotten`` changes: an older replica, or a backup."""
    entries = await world.redis.call("XREVRANGE", DIR_CHANGES, "+", "-", "COUNT", forgotten)
    for entry, fields in entries or ():
        value = fields[b"o"] if isinstance(fields, dict) else fields[1]
        for ordinal in map(int, value.split(b",")):
            recipient = orjson.loads((await world.store.get_many([ordinal]))[0] or b"{}")
            await world.redis.pipe(
                [
                    ("HDEL", DIR_IDS, recipient["id"]),
                    ("HDEL", dir_recipients(ordinal), ordinal),
                    ("DECR", DIR_NEXT),
                    ("XDEL", DIR_CHANGES, entry),
                ]
            )
    await world.redis.call("HSET", DIR_RUN, "id", "the run before")


async def test_server_that_took_over_without_an_import_is_told_of_it(world: World) -> None:
    """Its recipients come back under their ordinals, and nobody else gets one of those meanwhile."""
    await world.put(person("a"), person("b"))
    await world.put(person("c"))
    await world.put(person("d"))
    await world.directory.catch_up()
    before = await world.ordinals("a", "b", "c", "d")
    await stale(world, forgotten=2)
    lost = await world.ordinals("a", "b", "c", "d")
    with pytest.raises(StoreUnavailable):
        await world.put(person("newcomer"))
    named = await world.store.epoch()
    await world.directory.recover()
    await world.put(person("newcomer"))

    assert lost == [*before[:2], None, None]
    assert named == ""
    assert await world.ordinals("a", "b", "c", "d", "newcomer") == [*before, 4]
    assert await world.directory.get("d") == person("d")
    assert await world.store.epoch() == world.copy.epoch


async def test_server_that_took_over_with_everything_is_believed(world: World) -> None:
    """Nothing is written again."""
    await world.put(person("a"))
    await world.directory.catch_up()
    position = await world.store.position()
    await stale(world, forgotten=0)
    await world.directory.recover()

    assert await world.store.position() == position
    assert await world.store.epoch() == world.copy.epoch


async def test_what_was_told_after_the_takeover_is_newer(world: World) -> None:
    """An edit that reached the new server before the comparison is not set back by the copy."""
    await world.put(person("a", 1))
    await world.put(person("b", 1))
    await world.directory.catch_up()
    await stale(world, forgotten=1)
    await world.store.write({0: to_json(person("a", 7))})
    await world.directory.recover()

    assert await world.directory.get("a") == person("a", 7)
    assert await world.directory.get("b") == person("b", 1)
