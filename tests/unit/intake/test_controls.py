"""Switches: a stop holds on this node whatever else fails, and only a resume that is written lifts it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from relay.errors import JournalUnavailable
from relay.intake.controls import STOP_FILE, Controls, switch_of
from relay.intake.ledger import Ledger
from relay.intake.records import ControlRecord, Record
from relay.testing.clocks import START, FakeClock
from tests.unit.intake.conftest import MakeKey


class Book:
    """A ledger that remembers what was written, or cannot write."""

    def __init__(self) -> None:
        self.written: list[ControlRecord] = []
        self.full = False

    async def write(self, record: Record) -> bool:
        if self.full:
            raise JournalUnavailable("full")
        assert isinstance(record, ControlRecord)
        self.written.append(record)
        return True


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def controls(book: Book, tmp_path: Path) -> Controls:
    return Controls(cast("Ledger", book), data_dir=tmp_path, clock=FakeClock())


async def test_stop_and_resume(controls: Controls, book: Book, tmp_path: Path, make_key: MakeKey) -> None:
    """The workers of this node see the file, everybody else the switch."""
    await controls.stop(reason="storm", key=make_key())
    stopped = controls.stopped, (tmp_path / STOP_FILE).exists()
    await controls.resume(reason="over", key=make_key())

    assert (stopped, controls.stopped) == ((True, True), False)
    assert [(r.op, r.channel, r.reason, r.by, r.at) for r in book.written] == [
        ("stop", "", "storm", "aaaaaaaa", START),
        ("resume", "", "over", "aaaaaaaa", START),
    ]


async def test_stop_holds_although_the_disk_is_full(controls: Controls, book: Book, make_key: MakeKey) -> None:
    """It is refused, and obeyed here all the same; a resume that cannot be written lifts nothing."""
    book.full = True
    with pytest.raises(JournalUnavailable):
        await controls.stop(reason="", key=make_key())
    stopped = controls.stopped
    with pytest.raises(JournalUnavailable):
        await controls.resume(reason="", key=make_key())

    assert stopped
    assert controls.stopped


async def test_channel(controls: Controls, book: Book, make_key: MakeKey) -> None:
    """A pause is about one channel and stops nothing else."""
    await controls.pause("sms", reason="", key=make_key())
    await controls.resume_channel("sms", reason="", key=make_key())

    assert [(r.op, switch_of(r)) for r in book.written] == [("pause", "pause:sms"), ("resume", "pause:sms")]
    assert not controls.stopped
