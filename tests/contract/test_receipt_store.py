"""Provider ids: receipts find their delivery whenever they come."""

import asyncio

import pytest

from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.store.receipts import Part, Previews, ReceiptStore
from relay.testing.clocks import FakeClock

PART = Part("leg-1", 0, 1)


@pytest.fixture
def receipts(redis: Connection) -> ReceiptStore:
    return ReceiptStore(redis, Partition())


@pytest.mark.parametrize("part", [PART, Part("abcdefghijklm-3999", 2, 3)])
def test_part_survives_storage(part: Part) -> None:
    """A part reads back as it was written."""
    assert Part.parse(str(part)) == part


async def test_receipt_finds_its_delivery(receipts: ReceiptStore) -> None:
    """Registered ids are found, each in its own channel."""
    early = await receipts.register("sms", {"id-1": PART, "id-2": Part("leg-2", 1, 2)})

    assert early == {}
    assert await receipts.find("sms", "id-1", "receipt") == PART
    assert await receipts.find("sms", "id-2", "receipt") == Part("leg-2", 1, 2)
    assert await receipts.find("other", "id-1", "receipt") is None


async def test_early_receipt_waits(receipts: ReceiptStore) -> None:
    """A receipt that overtakes its response is handed out when the id becomes known."""
    found = await receipts.find("sms", "id-1", '{"verdict":"delivered"}')
    early = await receipts.register("sms", {"id-0": PART, "id-1": PART})

    assert found is None
    assert early == {"id-1": '{"verdict":"delivered"}'}


@pytest.mark.parametrize("round_number", range(20))
async def test_race_loses_no_receipt(receipts: ReceiptStore, round_number: int) -> None:
    """Registering and receiving at the same moment: at least one of the two sees the other."""
    del round_number
    async with asyncio.TaskGroup() as tasks:
        registering = tasks.create_task(receipts.register("sms", {"id": PART}))
        receiving = tasks.create_task(receipts.find("sms", "id", "receipt"))

    assert receiving.result() == PART or registering.result() == {"id": "receipt"}


async def test_parts_are_counted_once(receipts: ReceiptStore) -> None:
    """A long message has arrived when all its parts have; a repeated receipt counts once."""
    counts = [await receipts.arrived(Part("leg-1", number, 3)) for number in (0, 2, 2, 1)]

    assert counts == [1, 2, 2, 3]


async def test_newest_delivery_of_an_address(receipts: ReceiptStore, redis: Connection) -> None:
    """A reply finds what was sent last to its sender; the address itself is not a key."""
    await receipts.opened({"+77010000001": "leg-1"})
    await receipts.opened({"+77010000001": "leg-2", "+77010000002": "leg-3"})
    keys = await redis.call("KEYS", "*7701*")

    assert await receipts.newest("+77010000001") == "leg-2"
    assert await receipts.newest("+77010000009") == ""
    assert keys == []


async def test_nothing_is_kept_for_ever(receipts: ReceiptStore, redis: Connection) -> None:
    """Ids (with their count and their legs), early receipts, parts and addresses all have an end."""
    await receipts.register("sms", {"id": PART})
    await receipts.find("sms", "early", "receipt")
    await receipts.arrived(PART)
    await receipts.opened({"+77010000001": "leg-1"})
    ends = [await redis.call("TTL", key) for key in await redis.call("KEYS", "*")]

    assert len(ends) == 6
    assert all(0 < end <= 96 * 3600 for end in ends)


async def test_traffic_does_not_keep_old_ids(redis: Connection) -> None:
    """What comes every day has a key for each day, so that yesterday's is not kept by today's; ids are found for 3 days."""
    clock = FakeClock()
    receipts = ReceiptStore(redis, Partition(), clock=clock)
    await receipts.register("sms", {"id": PART})
    clock.advance(3 * 24 * 3600)
    await receipts.register("sms", {"id-2": PART})
    found = await receipts.find("sms", "id", "receipt")
    clock.advance(24 * 3600)
    forgotten = await receipts.find("sms", "id", "receipt")

    assert found == PART
    assert forgotten is None


async def test_late_words_wait(receipts: ReceiptStore) -> None:
    """Words about what is not here wait in their order until they are taken."""
    for word in ("a", "b", "c"):
        await receipts.late(word)
    await receipts.taken("b")

    assert await receipts.late_words(first=0, most=10) == ["a", "c"]
    assert await receipts.late_words(first=1, most=10) == ["c"]


async def test_preview_is_answered(redis: Connection) -> None:
    """A dry run asks any worker and gets its answer; nobody there is said so."""
    previews = Previews(redis, Partition())
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(previews.ask("one", b"who?", seconds=2))
        request = await previews.take(seconds=2)
        await previews.answer("one", b"everybody")
    unanswered = await previews.ask("two", b"who?", seconds=0.05)

    assert (request, asking.result(), unanswered) == (b"who?", b"everybody", None)
