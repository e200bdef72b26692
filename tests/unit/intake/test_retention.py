"""The journal is kept as long as it may count, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from relay.errors import StoreUnavailable
from relay.intake.frames import Frame
from relay.intake.journal import Journal, JournalLimits
from relay.intake.live import APPLIED
from relay.intake.records import AcceptRecord, ApprovalRecord, ControlRecord, MarkRecord, Record, encode, frame_type_of
from relay.intake.remember import Remember
from relay.intake.retention import KEPT, LONGEST, Retention, keep
from relay.store.memories import Memories, Memory
from relay.testing.clocks import START, FakeClock

DAY = timedelta(days=1)
NOW = START + 30 * DAY


def an_accept(at: datetime, *, lives: timedelta = DAY) -> AcceptRecord:
    return AcceptRecord(
        alert_id="a", received_at=at, key_id="k", agency="meteo", content_type="text/xml", expires=at + lives
    )


def an_approval(at: datetime) -> ApprovalRecord:
    return ApprovalRecord(alert_id="a", decision="approve", reason="", by="k", at=at)


def a_switch(op: str, at: datetime, channel: str = "") -> ControlRecord:
    return ControlRecord(op=op, channel=channel, reason="", by="k", at=at)


def kept(*records: Record) -> list[int]:
    """Return the numbers, from 1, of the records that are kept."""
    frames = [Frame(n, int(frame_type_of(r)), encode(r)) for n, r in enumerate(records, start=1)]
    decided = keep(frames, now=NOW)
    return [frame.seq for frame in frames if decided(frame)]


def test_a_week_is_kept() -> None:
    """What is older than Redis keeps its keys has done its work."""
    assert kept(an_accept(NOW - KEPT - DAY), an_accept(NOW - KEPT), an_approval(NOW - DAY)) == [2, 3]


def test_an_alert_that_lives_is_kept_with_all_that_came_after_it() -> None:
    """Its Cancel may be over and its approval old: without them it would come back after a loss."""
    alert = an_accept(NOW - 20 * DAY, lives=25 * DAY)
    cancel = an_accept(NOW - 19 * DAY)

    assert kept(an_accept(NOW - 21 * DAY), alert, cancel, an_approval(NOW - 18 * DAY)) == [2, 3, 4]


def test_nobody_lives_for_ever() -> None:
    """An agency that writes an end in ten years does not keep the journal for ten years."""
    frames = [an_accept(NOW - LONGEST - DAY, lives=3650 * DAY), an_accept(NOW - LONGEST + DAY, lives=3650 * DAY)]

    assert kept(*frames) == [2]


def test_a_stop_is_kept_until_it_is_lifted() -> None:
    """A month later, after a loss, a channel that was paused is still paused."""
    old = NOW - 20 * DAY

    assert kept(a_switch("stop", old), a_switch("pause", old, "sms"), a_switch("resume", old)) == [2]


def test_the_last_note_is_kept() -> None:
    """Without it everything would look as if it had never been told."""
    old = NOW - 20 * DAY
    notes = [MarkRecord(at=old, note=APPLIED, values={"applied": n, "open": []}) for n in (1, 2)]

    assert kept(*notes, MarkRecord(at=old, note="probe")) == [2]


def test_what_cannot_be_read_is_kept() -> None:
    """A record of a newer relay is not this one's to throw away."""
    assert keep([], now=NOW)(Frame(1, 99, b"?"))


class NoRedis:
    """The memories of a store that nobody asks here."""

    places = (0,)


class World:
    """A journal with a segment for each record, and its retention."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.folder = folder
        self.journal = Journal.open(folder, node="node", limits=JournalLimits(segment_bytes=1), clock=self.clock)
        self.remember = Remember(
            self.journal, cast("Memories", NoRedis()), node="node", clock=self.clock, apply=self.apply
        )
        self.remember.available = True
        self.trusted = True
        self.retention = Retention(self.journal, self.remember, trusted=lambda: self.trusted, clock=self.clock)

    async def apply(self, record: Record, number: int, again: Memory | None) -> None:
        raise StoreUnavailable("away")

    async def write(self, record: Record) -> int:
        return await self.journal.append(frame_type_of(record), encode(record))

    def numbers(self) -> list[int]:
        return [frame.seq for frame in self.journal.records()]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    asyncio.run(made.journal.close())


async def test_old_segments_go(world: World) -> None:
    """The disk does not fill: what is over leaves, what counts stays and is still read."""
    for _ in range(3):
        await world.write(an_accept(world.clock.now()))
        world.clock.advance(DAY.total_seconds() * 4)
    gone = await world.retention.once()

    assert gone == 2
    assert world.numbers() == [3]


@pytest.mark.parametrize("doubt", ["pending", "away", "clock"])
async def test_in_doubt_nothing_goes(world: World, doubt: str) -> None:
    """Not while records wait, while Redis is away, or while the clock may have jumped."""
    number = await world.write(an_accept(world.clock.now()))
    await world.write(an_accept(world.clock.now()))
    world.clock.advance(DAY.total_seconds() * 40)
    if doubt == "pending":
        world.remember.later(an_accept(world.clock.now()), number)
    world.remember.available = doubt != "away"
    world.trusted = doubt != "clock"

    assert await world.retention.once() == 0
    assert world.numbers() == [1, 2]


async def test_disk_that_fails_ends_nothing(world: World) -> None:
    """A segment that cannot be removed is tried again in an hour."""
    for _ in range(2):
        await world.write(an_accept(world.clock.now()))
    world.clock.advance(DAY.total_seconds() * 40)

    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    world.journal.retire = broken  # type: ignore[method-assign, assignment]

    assert await world.retention.once() == 0
