"""Retention: how long the journal is kept, so that it neither fills the disk nor forgets what may still count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from relay.clock import Clock
from relay.intake.frames import Frame
from relay.intake.journal import Journal
from relay.intake.live import APPLIED, IMPORTED, decoded, stamp_of
from relay.intake.records import AcceptRecord, ControlRecord, MarkRecord
from relay.intake.remember import Remember
from relay.process import pause

log = structlog.get_logger()

#: As long as Redis keeps the keys by which a repeated alert is known (design §7).
KEPT = timedelta(days=7)
#: An alert that says it lives longer is not kept in the journal for longer than this after it came.
LONGEST = timedelta(days=90)

_FIRST = 60.0
_PERIOD = 3600.0


@dataclass(frozen=True, slots=True)
class Keep:
    """What of a journal is kept: all from ``horizon`` on, and single records by their numbers."""

    horizon: datetime
    numbers: frozenset[int]

    def __call__(self, frame: Frame) -> bool:
        """Say whether a record is kept; one that this relay cannot read is: a newer one may need it."""
        if frame.seq in self.numbers:
            return True
        record = decoded(frame)
        return record is None or stamp_of(record) >= self.horizon


def keep(frames: Iterable[Frame], *, now: datetime) -> Keep:
    """Decide what is kept.

    The horizon is a week ago, or earlier: when the oldest alert came that has not ended.  What came after it may be
    its Cancel, its approval, its acknowledgements: without them it would come back after a loss as if nothing had been
    said.  Older than that are kept the last word on each switch that is set, and the last notes.
    """
    horizon = now - KEPT
    switches: dict[str, tuple[int, str]] = {}
    notes: dict[str, int] = {}
    for frame in frames:
        match decoded(frame):
            case AcceptRecord() as record if _ends(record) > now:
                horizon = min(horizon, record.received_at)
            case ControlRecord() as record:
                switches[record.channel] = (frame.seq, record.op)
            case MarkRecord(note=note) if note in (APPLIED, IMPORTED):
                notes[note] = frame.seq
    held = {number for number, op in switches.values() if op != "resume"}
    return Keep(horizon, frozenset(held | set(notes.values())))


def _ends(record: AcceptRecord) -> datetime:
    """Return until when an alert may still count; one without an end counts as long as any may."""
    longest = record.received_at + LONGEST
    return min(record.expires or longest, longest)


class Retention:
    """Removes segments of the journal in which nothing is kept, once an hour."""

    def __init__(self, journal: Journal, remember: Remember, *, trusted: Callable[[], bool], clock: Clock) -> None:
        self._journal = journal
        self._remember = remember
        self._trusted = trusted
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look once an hour until ``stopping``."""
        await pause(stopping, seconds=_FIRST)
        while not stopping.is_set():
            await self.once()
            await pause(stopping, seconds=_PERIOD)

    async def once(self) -> int:
        """Remove what is not kept, and return how many segments went.

        Nothing goes while Redis has not applied everything, or while our clock is in doubt.
        """
        if self._remember.pending or not self._remember.available or not self._trusted():
            return 0
        try:
            gone = await asyncio.to_thread(self._retire, self._clock.now())
        except OSError as error:
            log.warning("journal_not_retired", error=error.strerror)
            return 0
        if gone:
            log.info("journal_retired", segments=gone)
        return gone

    def _retire(self, now: datetime) -> int:
        return self._journal.retire(keep(self._journal.records(), now=now))
