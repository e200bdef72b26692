"""The directory in Redis: ordinals are for ever, opt-outs are bits, changes are heard."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.directory import Allocated, DirectoryStore, Restored
from relay.store.keys import DIR_NEXT


@pytest.fixture
def directory(redis: Connection) -> DirectoryStore:
    return DirectoryStore(redis)


async def ordinals(directory: DirectoryStore, *ids: str) -> list[int]:
    return [a.ordinal for a in await directory.allocate(ids, epoch="first")]


async def test_ids_get_ordinals(directory: DirectoryStore) -> None:
    """New ids get the next ordinals in order, known ones keep theirs, also within one call."""
    first = await directory.allocate(["a", "b", "a"], epoch="first")
    second = await directory.allocate(["c", "b"], epoch="other")

    assert first == [Allocated(0, created=True), Allocated(1, created=True), Allocated(0, created=False)]
    assert second == [Allocated(2, created=True), Allocated(1, created=False)]
    assert (await directory.epoch(), await directory.size(), await directory.span()) == ("first", 3, 3)


async def test_ordinals_are_never_used_again(directory: DirectoryStore) -> None:
    """Who was taken out and comes back is somebody new: an old segment can never tell a stranger."""
    await ordinals(directory, "a", "b")
    await directory.write({0: b'{"id":"a"}', 1: b'{"id":"b"}'})
    removed = await directory.remove("a", b'{"deleted":true}')
    back = await ordinals(directory, "a")

    assert removed
    assert back == [2]
    assert await directory.denied([0, 1, 2]) == [255, 0, 0]
    assert await directory.get_many([0]) == [b'{"deleted":true}']
    assert not await directory.remove("nobody", b"")


async def test_lost_directory_gives_no_ordinals(directory: DirectoryStore) -> None:
    """A directory that is known here and gone in Redis is restored first: else new people would get old ordinals."""
    with pytest.raises(StoreUnavailable):
        await directory.allocate(["a"], epoch="")
    await directory.restore({4: Restored("d", b"{}", 0)})
    with pytest.raises(StoreUnavailable):
        await directory.allocate(["a"], epoch="")
    await directory.restored("second", recipients=1, span=5)

    assert await directory.allocate(["d", "a"], epoch="") == [Allocated(4, created=False), Allocated(5, created=True)]
    assert await directory.epoch() == "second"


async def test_restored_directory_is_the_old_one(directory: DirectoryStore) -> None:
    """Ordinals, texts, opt-outs and the removed come back as they were; the next ordinal is above them all."""
    rows = {
        0: Restored("a", b'{"id":"a"}', 0),
        1: Restored("", b'{"deleted":true}', 255),
        300: Restored("c", b'{"id":"c"}', 5),
    }
    await directory.restore(rows)
    await directory.restored("second", recipients=2, span=301)
    await directory.restored("third", recipients=2, span=301)

    assert await directory.get_many([0, 1, 300, 2]) == [b'{"id":"a"}', b'{"deleted":true}', b'{"id":"c"}', None]
    assert await directory.denied([0, 1, 300]) == [0, 255, 5]
    assert [await directory.ordinal(i) for i in ("a", "", "c")] == [0, None, 300]
    assert (await directory.size(), await directory.span(), await directory.epoch()) == (2, 301, "second")


async def test_half_restored_directory_is_not_valid(directory: DirectoryStore) -> None:
    """Redis was emptied again while rows were put back: the directory does not become valid with a part of them."""
    await directory.restore({4: Restored("d", b"{}", 0)})
    with pytest.raises(StoreUnavailable):
        await directory.restored("second", recipients=2, span=5)
    with pytest.raises(StoreUnavailable):
        await directory.restored("second", recipients=1, span=6)

    assert await directory.epoch() == ""


async def test_restoring_never_lowers_the_next_ordinal(directory: DirectoryStore, redis: Connection) -> None:
    """Ordinals given meanwhile by another node stay taken."""
    await redis.call("SET", DIR_NEXT, 1000)
    await directory.restore({4: Restored("d", b"{}", 0)})

    assert await directory.span() == 1000


async def test_nothing_to_write_is_no_change(directory: DirectoryStore) -> None:
    """An import without a good line tells the indexes nothing; an empty entry made them fail."""
    await directory.write({})
    await directory.restore({})

    assert await directory.position() == "0-0"
    assert await directory.changes("0-0", block_ms=1) is None


@pytest.mark.parametrize("slot", range(8))
async def test_opt_out_denies_one_slot(directory: DirectoryStore, slot: int) -> None:
    """An opt-out is one bit of one recipient, and stays when others follow."""
    await directory.opt_out(7, slot)
    await directory.opt_out(7, 0)
    await directory.opt_out(9, 3)

    assert await directory.denied([6, 7, 8, 9, 10]) == [0, 1 << slot | 1, 0, 8, 0]


async def test_written_recipient_brings_his_opt_outs(directory: DirectoryStore) -> None:
    """Writing with a mask replaces what was denied; writing without leaves it."""
    await directory.opt_out(2, 1)
    await directory.write({2: b"{}"})
    kept = await directory.denied([2])
    await directory.write({2: b"{}"}, denied={2: 4})

    assert (kept, await directory.denied([2])) == ([2], [4])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(0, 300_000), st.integers(1, 255), min_size=1, max_size=20))
async def test_near_and_far_ranges_read_alike(directory: DirectoryStore, masks: dict[int, int]) -> None:
    """Reading a range at once and bit field by bit field give the same masks."""
    await directory.write(dict.fromkeys(masks, b"{}"), denied=masks)
    asked = sorted(masks)
    together = await directory.denied(asked)
    apart = [(await directory.denied([o]))[0] for o in asked]

    assert together == apart == [masks[o] for o in asked]
    await directory.write(dict.fromkeys(masks, b"{}"), denied=dict.fromkeys(masks, 0))


async def test_many_are_read_in_order(directory: DirectoryStore) -> None:
    """Recipients come back in the order they were asked for, over bucket borders, None for nobody."""
    await directory.write({o: str(o).encode() for o in (0, 255, 256, 1000)})

    assert await directory.get_many([256, 3, 0, 1000, 255]) == [b"256", None, b"0", b"1000", b"255"]
    assert await directory.get_many([]) == []


async def test_scan_is_in_order_of_ordinals(directory: DirectoryStore) -> None:
    """A scan yields everybody once, ascending, from where it is told to begin."""
    await ordinals(directory, *[f"r{n}" for n in range(1000)])
    await directory.write({o: str(o).encode() for o in range(1000)})
    everybody = [row async for rows in directory.scan(buckets=2) for row in rows]
    tail = [ordinal async for rows in directory.scan(first=700) for ordinal, _ in rows]

    assert everybody == [(o, str(o).encode()) for o in range(1000)]
    assert tail == list(range(700, 1000))


async def test_changes_are_heard_in_order(directory: DirectoryStore) -> None:
    """An index hears every write, opt-out and removal after the position it knows, once."""
    start = await directory.position()
    await ordinals(directory, "a", "b", "c")
    await directory.write({0: b"{}", 2: b"{}"})
    await directory.opt_out(1, 0)
    await directory.remove("c", b"{}")
    changes = await directory.changes(start, block_ms=100)
    assert changes is not None
    again = await directory.changes(changes.position, block_ms=1)

    assert list(changes.ordinals) == [0, 2, 1, 2]
    assert changes.position == await directory.position()
    assert again is None


async def test_reach_of_the_stream(directory: DirectoryStore, redis: Connection) -> None:
    """An index that is behind what the stream still holds is told to load everything again."""
    fresh = await directory.reaches("0-0")
    await directory.write({0: b"{}"})
    first = await directory.position()
    await directory.write({1: b"{}"})
    second = await directory.position()
    held = await directory.reaches(first)
    await redis.call("XTRIM", "c1:{dir}:changes", "MAXLEN", 1)

    assert fresh
    assert held
    assert await directory.reaches(second)
    assert not await directory.reaches(first)
    assert not await directory.reaches("0-0")


async def test_position_after_a_loss_is_not_reached(directory: DirectoryStore, redis: Connection) -> None:
    """After FLUSHALL an old position reaches nothing."""
    await directory.write({0: b"{}"})
    position = await directory.position()
    await redis.call("FLUSHALL")

    assert not await directory.reaches(position)


async def test_fsync_is_waited_for(directory: DirectoryStore, redis: Connection) -> None:
    """What was written is on the disk afterwards, with or without WAITAOF; the usual setting is back."""
    await directory.write({0: b"{}"})
    await redis.call("CONFIG", "SET", "appendonly", "yes")

    assert await directory.fsync(seconds=5)
    assert (await redis.call("CONFIG", "GET", "appendfsync")) in (
        [b"appendfsync", b"everysec"],
        {b"appendfsync": b"everysec"},
    )


async def test_server_without_a_log_keeps_nothing(directory: DirectoryStore, redis: Connection) -> None:
    """A server that writes no log is not said to have anything on its disk, and is no error either."""
    await redis.call("CONFIG", "SET", "appendonly", "no")
    try:
        assert not await directory.fsync(seconds=5)
    finally:
        await redis.call("CONFIG", "SET", "appendonly", "yes")
