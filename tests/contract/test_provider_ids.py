"""The map of provider ids: many in few bytes, and never the wrong delivery."""

from __future__ import annotations

from collections import Counter

import pytest

from relay.store import provider_ids
from relay.store.connection import Connection
from relay.store.keys import RECEIPT_BUCKETS, Partition
from relay.store.provider_ids import Name, Part
from relay.store.receipts import ReceiptStore
from relay.testing.clocks import FakeClock

LEG = "abcdefghijklm"
OTHER = "abcdefghijkln"


@pytest.fixture
def receipts(redis: Connection) -> ReceiptStore:
    return ReceiptStore(redis, Partition())


def parts(first: int, last: int, *, leg: str = LEG, prefix: str = "") -> dict[str, Part]:
    return {f"{prefix}{leg[-1]}{n:08x}": Part(f"{leg}-{n}", 0, 1) for n in range(first, last)}


async def register(receipts: ReceiptStore, ids: dict[str, Part], *, batch: int = 64) -> None:
    names = list(ids)
    for start in range(0, len(names), batch):
        assert await receipts.register("sms", {i: ids[i] for i in names[start : start + batch]}) == {}


@pytest.mark.parametrize(
    "part",
    [
        Part(f"{LEG}-0", 0, 1),
        Part(f"{LEG}-65535", 0, 1),
        Part(f"{LEG}-65536", 0, 1),
        Part(f"{LEG}-16777215", 0, 1),
        Part(f"{LEG}-16777216", 0, 1),
        Part(f"{LEG}-4294967295", 0, 1),
        Part(f"{LEG}-7", 0, 2),
        Part(f"{LEG}-7", 254, 255),
    ],
)
@pytest.mark.parametrize("legs_before", [0, 255, 256, 65_536])
async def test_every_width_reads_back(redis: Connection, receipts: ReceiptStore, part: Part, legs_before: int) -> None:
    """Low and high ranks, parts, and days of many legs: each form of a value reads back."""
    key = Partition().id_legs("sms", receipts._now(provider_ids.DAY))
    for start in range(0, legs_before, 8_192):
        await redis.call("RPUSH", key, *["before"] * min(8_192, legs_before - start))
    await receipts.register("sms", {"id": part, "beside": Part(f"{OTHER}-5", 0, 1)})

    assert await receipts.find("sms", "id", "receipt") == part
    assert await receipts.find("sms", "beside", "receipt") == Part(f"{OTHER}-5", 0, 1)


async def test_many_ids_stay_packed_and_are_found(redis: Connection, receipts: ReceiptStore) -> None:
    """Through several generations the hashes stay packed, an id takes few bytes, and each one is found."""
    ids = {**parts(0, 9_000), **parts(0, 3_000, leg=OTHER)}
    await register(receipts, ids)
    keys = await redis.call("KEYS", Partition().ids("sms", 1, 2, 3).rsplit(":", 3)[0] + ":*:*:*")
    encodings = Counter([await redis.call("OBJECT", "ENCODING", key) for key in keys])
    size = sum([int(await redis.call("MEMORY", "USAGE", key, "SAMPLES", 0)) for key in keys])
    # Another process, which knows nothing of the generations yet.
    fresh = ReceiptStore(redis, Partition())
    some = list(ids)[::97]
    found = [await fresh.find("sms", i, "receipt") for i in some]

    assert found == [ids[i] for i in some]
    assert {key.split(b":")[-2] for key in keys} == {b"0", b"1", b"2"}
    assert set(encodings) == {b"listpack"}
    assert size / len(ids) <= 20


async def test_unknown_ids_name_nothing(receipts: ReceiptStore) -> None:
    """Ids that others were given find nothing, however many there are."""
    await register(receipts, parts(0, 3_000))
    found = [await receipts.find("sms", f"foreign-{n}", "receipt") for n in range(300)]

    assert found == [None] * 300


async def test_equal_hashes_do_not_take_each_others_place(
    receipts: ReceiptStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ids of one hash are two deliveries: the first keeps its place, the second is under its whole name."""
    monkeypatch.setattr(Name, "of", classmethod(lambda cls, _: cls(5, b"sevenbt")))
    ids = {"first": Part(f"{LEG}-1", 0, 1), "second": Part(f"{LEG}-2", 0, 1), "third": Part(f"{OTHER}-3", 0, 1)}
    for _ in range(2):  # again, as after an answer that was lost
        await receipts.register("sms", ids)

    assert [await receipts.find("sms", i, "receipt") for i in ids] == list(ids.values())


async def test_registering_again_adds_nothing(redis: Connection, receipts: ReceiptStore) -> None:
    """What is told twice, because nobody heard the answer, takes its room once."""
    ids = parts(0, 200)
    await register(receipts, ids)
    keys = await redis.call("KEYS", "*pid:*:*:*:*")
    before = sum([await redis.call("HLEN", key) for key in keys])
    await register(receipts, ids)

    assert before == sum([await redis.call("HLEN", key) for key in keys]) == 200


async def test_reused_id_is_its_newest_delivery(redis: Connection) -> None:
    """A provider that begins to count anew means its newest message, today and on a later day."""
    clock = FakeClock()
    receipts = ReceiptStore(redis, Partition(), clock=clock)
    found = []
    for rank in (1, 2):
        await receipts.register("sms", {"id": Part(f"{LEG}-{rank}", 0, 1)})
        found.append(await receipts.find("sms", "id", "receipt"))
    clock.advance(provider_ids.DAY)
    await receipts.register("sms", {"id": Part(f"{OTHER}-3", 0, 1)})
    found.append(await receipts.find("sms", "id", "receipt"))

    assert [part.delivery_id for part in found if part] == [f"{LEG}-1", f"{LEG}-2", f"{OTHER}-3"]


async def test_what_was_remembered_of_a_lost_server_misleads_nobody(redis: Connection, receipts: ReceiptStore) -> None:
    """After a loss, numbers of legs and counts that a process still knows mean nothing: both sides begin anew."""
    await register(receipts, {**parts(0, 4_000), **parts(0, 10, leg=OTHER)})
    await receipts.find("sms", "x", "receipt")
    for key in await redis.call("KEYS", "*"):
        await redis.call("DEL", key)
    other = ReceiptStore(redis, Partition())
    await register(other, parts(7, 8, leg="someother-leg", prefix="new"))
    await register(receipts, parts(20, 21, leg=OTHER, prefix="new"))

    assert await receipts.find("sms", "newg00000007", "receipt") == Part("someother-leg-7", 0, 1)
    assert await other.find("sms", "newn00000014", "receipt") == Part(f"{OTHER}-20", 0, 1)
    assert await other.find("sms", "m00000001", "receipt") is None


async def test_first_version_is_found(redis: Connection, receipts: ReceiptStore) -> None:
    """What an older relay registered before it was replaced still finds its delivery."""
    part = Part(f"{LEG}-3999", 1, 3)
    bucket = provider_ids.bucket_before("old-id")
    key = Partition().provider_ids("sms", bucket, receipts._now(provider_ids.DAY))
    await redis.call("HSET", key, "old-id", str(part))

    assert 0 <= bucket < RECEIPT_BUCKETS
    assert await receipts.find("sms", "old-id", "receipt") == part


async def test_early_receipts_of_a_large_batch(receipts: ReceiptStore) -> None:
    """More ids than go into one script: each early receipt is handed out once, with its own id."""
    ids = parts(0, 1_200)
    early = list(ids)[::100]
    for number, i in enumerate(early):
        assert await receipts.find("sms", i, f"receipt {number}") is None

    assert await receipts.register("sms", ids) == {i: f"receipt {n}" for n, i in enumerate(early)}
