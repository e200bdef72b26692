"""Receipts and replies: whenever they come, they find their delivery and never take back what is known."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from relay.adapter import Receipt, Verdict
from relay.fanout.ids import DeliveryRef
from relay.store.receipts import Part, ReceiptStore
from relay.testing.clocks import FakeClock
from relay.tracking.lately import GIVE_UP, PAUSE, Lately
from relay.tracking.reasons import reason_of
from relay.tracking.receipts import Receipts, provider_hash
from relay.tracking.states import Flag, Record, State
from relay.tracking.writes import Writes
from tests.contract.engine_side import Engine, new_leg

NUMBER = "+77010000001"


class World:
    """One leg of ten, all accepted."""

    def __init__(self, engine: Engine, leg: str) -> None:
        self.engine, self.leg = engine, leg
        self.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=10))
        store = ReceiptStore(engine.redis, engine.keys)
        self.lately = Lately(clock=self.clock)
        self.receipts = Receipts(store, Writes(engine.legs, engine.chunks), clock=self.clock, lately=self.lately)

    def delivery(self, rank: int) -> str:
        return str(DeliveryRef(self.leg, rank))

    async def record(self, rank: int = 0) -> Record:
        return Record.unpack(await self.engine.legs.records(self.leg, 0, first=rank, last=rank + 1))

    async def copied(self) -> dict[str, bytes]:
        """Return what a replica has now of the leg."""
        keys = self.engine.keys
        names = [keys.leg(self.leg), keys.records(self.leg, 0), keys.legs, keys.alert("alert")]
        return {name: await self.engine.redis.call("DUMP", name) for name in names}

    async def fail_over(self, copy: dict[str, bytes]) -> None:
        """Let a replica that had no more than ``copy`` take over, and the worker notice it."""
        await self.engine.redis.call("FLUSHALL")
        for name, data in copy.items():
            await self.engine.redis.call("RESTORE", name, 0, data)
        self.lately.forgotten()
        self.clock.advance(PAUSE)
        await self.lately.repeat()

    async def plan(self, *, people: int) -> None:
        """Plan the alert anew; ``people`` stands for who is in its leg."""
        await self.engine.redis.call("FLUSHALL")
        await asyncio.sleep(0.002)
        leg = new_leg([10])
        await self.engine.alert("alert", [replace(leg, cursor=replace(leg.cursor, people=people))])

    async def receive(
        self, verdict: Verdict = Verdict.DELIVERED, *, provider_id: str = "", rank: int | None = None
    ) -> bool:
        delivery_id = self.delivery(rank) if rank is not None else ""
        receipt = Receipt(provider_id=provider_id, delivery_id=delivery_id, verdict=verdict, reason="undeliverable")
        return await self.receipts.receive("sms", receipt)


@pytest.fixture
async def world(engine: Engine) -> World:
    leg = await engine.leg([10])
    chunk = await engine.claim()
    accepted = Record(state=State.ACCEPTED, send=1, attempt=1, channel=4, accepted=5)
    await engine.settle(chunk, dict.fromkeys(range(10), accepted))
    return World(engine, leg)


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(Verdict.DELIVERED, State.DELIVERED), (Verdict.REJECTED, State.FAILED), (Verdict.ACCEPTED, State.ACCEPTED)],
)
async def test_receipt_ends_its_delivery(world: World, verdict: Verdict, state: State) -> None:
    """Delivered and rejected are ends; an intermediate word changes nothing; channel and numbers stay."""
    await world.receipts.register("sms", {"id": Part(world.delivery(3), 0, 1)})
    known = await world.receive(verdict, provider_id="id")
    record = await world.record(3)

    assert known
    assert (record.state, record.send, record.channel, record.accepted) == (state, 1, 4, 5)
    assert sum((await world.engine.counts(world.leg)).values()) == 10


async def test_receipt_that_names_our_id(world: World) -> None:
    """Where the provider carries our id nothing has to be registered."""
    assert await world.receive(Verdict.REJECTED, rank=7)

    record = await world.record(7)
    assert (record.state, reason_of(record.reason)) == (State.FAILED, "undeliverable")


async def test_early_receipt_is_applied_after_registering(world: World) -> None:
    """A receipt that overtakes its response is not lost."""
    known = await world.receive(provider_id="id")
    found = await world.receipts.register("sms", {"id": Part(world.delivery(0), 0, 1)})
    for part, text in found:
        await world.receipts.early(part, text)

    assert not known
    assert (await world.record()).state is State.DELIVERED


async def test_repeated_receipt_changes_nothing(world: World) -> None:
    """A provider may say everything twice, and the weaker word late."""
    await world.receive(rank=0)
    first = await world.record()
    world.clock.advance(60)
    await world.receive(rank=0)
    await world.receive(Verdict.REJECTED, rank=0)

    assert await world.record() == first
    assert await world.engine.counts(world.leg) == {State.DELIVERED: 1, State.ACCEPTED: 9}


async def test_long_message_arrives_with_its_last_part(world: World) -> None:
    """Three parts, in any order, one of them twice."""
    parts = {f"id-{n}": Part(world.delivery(0), n, 3) for n in range(3)}
    await world.receipts.register("sms", parts)
    states = []
    for provider_id in ("id-2", "id-0", "id-0", "id-1"):
        await world.receive(provider_id=provider_id)
        states.append((await world.record()).state)

    assert states == [State.ACCEPTED] * 3 + [State.DELIVERED]


@pytest.mark.parametrize("delivery_id", ["nonsense", "aaaaaaaaaaaaa-0", "{leg}-10", "{leg}-4000"])
async def test_receipt_for_nothing_is_harmless(world: World, delivery_id: str) -> None:
    """An id that is not a delivery, of no leg, or beyond the leg, changes nothing."""
    before = await world.engine.counts(world.leg)
    receipt = Receipt(delivery_id=delivery_id.format(leg=world.leg), verdict=Verdict.DELIVERED)
    await world.receipts.receive("sms", receipt)

    assert await world.engine.counts(world.leg) == before


async def test_time_of_a_receipt_is_never_in_the_future(world: World) -> None:
    """A provider's clock that is ahead does not make a delivery end later than now."""
    late = world.clock.now() + timedelta(hours=2)
    receipt = Receipt(delivery_id=world.delivery(0), verdict=Verdict.DELIVERED, at=late)
    await world.receipts.receive("sms", receipt)
    ended = (await world.record()).ended

    assert 900 <= ended <= 1100


async def test_answer_acknowledges(world: World) -> None:
    """A responder's digit is an acknowledgement, whatever was known before; the answer may be corrected."""
    ref = DeliveryRef(world.leg, 2)
    first = await world.receipts.acknowledge(ref, 1)
    await world.receipts.acknowledge(ref, 3)
    record = await world.record(2)

    assert first
    assert (record.state, record.answer, record.flags, record.channel) == (State.ACKNOWLEDGED, 3, Flag(0), 4)
    assert 900 <= record.due <= 1100
    assert not await world.receipts.acknowledge(DeliveryRef(world.leg, 99), 1)


async def test_answer_after_the_end_is_late(world: World) -> None:
    """An answer after the cancel counts, and says that it came late."""
    alert = await world.engine.alerts.get("alert")
    assert alert is not None
    await world.engine.alerts.stop(alert, state="cancelled", cause="x")
    await world.receipts.acknowledge(DeliveryRef(world.leg, 2), 1)

    assert (await world.record(2)).flags == Flag.LATE_ANSWER


@pytest.mark.parametrize(
    ("text", "taken"),
    [("1", True), (" 2 yes", True), ("9", True), ("0", False), ("ok", False), ("", False), ("٣", False)],
)
async def test_reply_by_sms(world: World, text: str, taken: bool) -> None:
    """A digit acknowledges the newest alert sent to that number; other text does not."""
    await world.receipts.sent({NUMBER: world.delivery(5)})

    assert await world.receipts.answer(NUMBER, text) is taken
    assert ((await world.record(5)).state is State.ACKNOWLEDGED) is taken


async def test_reply_of_a_stranger(world: World) -> None:
    """A number that was sent nothing acknowledges nothing."""
    assert not await world.receipts.answer("+77010000009", "1")


def test_hash_of_a_provider_id() -> None:
    """Every id has a hash that is not "none", and fits 32 bits."""
    assert all(0 < provider_hash(text) < 2**32 for text in ("", "a", "abc-123"))


async def test_receipts_survive_a_failover(world: World) -> None:
    """They are said once, to a primary that dies: delivered and refused, a part of a message, a reply."""
    await world.receipts.register("sms", {"a": Part(world.delivery(2), 0, 2), "b": Part(world.delivery(2), 1, 2)})
    await world.receipts.sent({NUMBER: world.delivery(3)})
    copy = await world.copied()
    await world.receive(rank=0)
    await world.receive(Verdict.REJECTED, rank=1)
    await world.receive(provider_id="a")
    await world.receipts.answer(NUMBER, "4")
    await world.fail_over(copy)
    await world.receive(provider_id="b")
    records = [await world.record(rank) for rank in range(5)]

    assert [record.state for record in records] == [
        State.DELIVERED,
        State.FAILED,
        State.DELIVERED,
        State.ACKNOWLEDGED,
        State.ACCEPTED,
    ]
    assert records[3].answer == 4
    assert sum((await world.engine.counts(world.leg)).values()) == 10


async def test_ids_survive_a_failover(world: World) -> None:
    """Receipts that come after it name ids that were registered just before, or came themselves before those."""
    copy = await world.copied()
    await world.receive(provider_id="early")
    await world.receipts.register("sms", {"id": Part(world.delivery(0), 0, 1)})
    await world.receipts.sent({NUMBER: world.delivery(2)})
    await world.fail_over(copy)
    await world.receive(provider_id="id")
    early = await world.receipts.register("sms", {"early": Part(world.delivery(1), 0, 1)})
    for part, text in early:
        await world.receipts.early(part, text)
    await world.receipts.answer(NUMBER, "1")

    assert [(await world.record(rank)).state for rank in range(3)] == [
        State.DELIVERED,
        State.DELIVERED,
        State.ACKNOWLEDGED,
    ]


@pytest.mark.parametrize(("people", "state"), [(7, State.DELIVERED), (8, State.QUEUED)])
async def test_receipt_is_said_of_the_same_person_only(world: World, people: int, state: State) -> None:
    """The leg was lost, and comes back a little later, planned again: for the same people, or for others."""
    await world.plan(people=7)
    await world.receive(rank=0)
    await world.engine.redis.call("FLUSHALL")
    world.lately.forgotten()
    world.clock.advance(PAUSE)
    await world.lately.repeat()
    await world.plan(people=people)
    world.clock.advance(GIVE_UP / 2)
    await world.lately.repeat()

    assert (await world.record()).state is state
    assert not world.lately.owing
