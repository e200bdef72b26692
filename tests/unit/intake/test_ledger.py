"""Decisions of people: journalled first, told to Redis in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from relay.errors import JournalUnavailable, StoreUnavailable
from relay.intake.frames import FrameType
from relay.intake.journal import Journal
from relay.intake.ledger import Ledger
from relay.intake.live import IMPORTED
from relay.intake.records import AckRecord, ControlRecord, DirectoryRecord, MarkRecord, Record, decode, decode_as
from relay.intake.remember import Remember
from relay.store.memories import Memories, Memory
from relay.testing.clocks import START, FakeClock


class NoRedis:
    """The memories of a store that nobody asks here."""

    places = (0,)


class World:
    """A ledger over a journal on a disk."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal.open(folder, node="node")
        self.told: list[str] = []
        self.error: Exception | None = None
        self.hang: asyncio.Event | None = None
        self.remember = Remember(
            self.journal, cast("Memories", NoRedis()), node="node", clock=FakeClock(), apply=self.apply
        )
        self.ledger = Ledger(self.journal, self.remember, self.apply, budget=0.05)

    async def apply(self, record: Record, number: int, again: Memory | None) -> None:
        if self.hang is not None:
            await self.hang.wait()
        if self.error is not None:
            raise self.error
        self.told.append(getattr(record, "id", "") or type(record).__name__)

    def journalled(self) -> list[str]:
        return [getattr(decode(frame), "id", "") or type(decode(frame)).__name__ for frame in self.journal.records()]


def an_edit(recipient: str) -> DirectoryRecord:
    return DirectoryRecord(op="put", id=recipient, json={}, at=START)


def an_answer() -> AckRecord:
    return AckRecord(delivery_id="leg-1", answer="1", at=START, via="link")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    asyncio.run(made.journal.close())


async def test_decision_is_journalled_and_applied(world: World) -> None:
    """Redis knows it when the answer goes out."""
    applied = await world.ledger.write(an_edit("r1"))

    assert applied
    assert (world.journalled(), world.told) == (["r1"], ["r1"])
    assert (world.remember.pending, world.remember.applied, world.ledger.position) == (0, 1, 1)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), RuntimeError("a defect")])
async def test_whatever_goes_wrong_it_is_applied_later(world: World, error: Exception) -> None:
    """What is journalled counts: an error that nobody foresaw made it wait for the next restart."""
    world.error = error
    applied = await world.ledger.write(an_edit("r1"))

    assert not applied
    assert (world.journalled(), world.remember.pending) == (["r1"], 1)


async def test_hung_redis_costs_the_budget_once(world: World) -> None:
    """The first decision waits its 50 ms, the others queue behind it without waiting."""
    world.hang = asyncio.Event()
    async with asyncio.timeout(1):
        applied = [await world.ledger.write(an_edit(f"r{n}")) for n in range(40)]

    assert applied == [False] * 40
    assert world.remember.pending == 40


async def test_later_edit_does_not_overtake_one_that_waits(world: World) -> None:
    """An edit that waited for Redis was told after a newer one, and the old address came back."""
    world.error = StoreUnavailable("away")
    await world.ledger.write(an_edit("old"))
    world.error = None
    applied = await world.ledger.write(an_edit("new"))
    world.remember.available = True
    await world.remember._drain(asyncio.Event())

    assert not applied
    assert world.told == ["old", "new"]


async def test_kinds_do_not_wait_for_each_other(world: World) -> None:
    """A stop acts although an edit waits, and answers never queue."""
    world.error = StoreUnavailable("away")
    await world.ledger.write(an_edit("r1"))
    world.error = None
    stop = ControlRecord(op="stop", channel="", reason="", by="k", at=START)

    assert await world.ledger.write(stop)
    assert await world.ledger.write(an_answer())


async def test_nothing_is_decided_without_the_journal(world: World) -> None:
    """A full disk refuses the decision, and Redis does not hear of it."""
    await world.journal.close()
    with pytest.raises(JournalUnavailable):
        await world.ledger.write(an_edit("r1"))

    assert (world.told, world.remember.pending) == ([], 0)


async def test_import_is_noted(world: World) -> None:
    """The journal says which edits an import has made durable."""
    await world.ledger.write(an_edit("r1"))
    await world.ledger.imported(before=world.ledger.position)
    (mark,) = [decode_as(f, MarkRecord) for f in world.journal.records() if f.type == FrameType.MARK]

    assert (mark.note, mark.values) == (IMPORTED, {"before": 1})
