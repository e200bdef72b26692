"""Which journalled records are told to Redis again, and as what: a pure reading of the journal (design §6)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from relay.intake.frames import Frame
from relay.intake.records import AcceptRecord, ControlRecord, DirectoryRecord, KeyRecord, MarkRecord, Record, decode

log = structlog.get_logger()

#: The notes of a MARK record: what Redis has applied; and that what was applied before a number is durable, as an
#: import ended after it.
APPLIED = "applied"
IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to tell; ``again``: Redis had confirmed it once."""

    number: int
    record: Record
    again: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal holds: entries in their order, the highest number confirmed, and the newest stamp of the clock.

    ``memories`` says which memory (server run, name) each place of Redis had when that was noted.
    """

    entries: tuple[Entry, ...]
    applied: int
    newest: datetime | None
    memories: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def _nobody(_record: AcceptRecord) -> None:
    """Nobody wants to hear of it."""


def read(frames: Iterable[Frame], *, lost: bool, accepted: Callable[[AcceptRecord], None] = _nobody) -> Reading:
    """Return what is to be told to Redis; ``lost``: it may have forgotten everything that it confirmed.

    ``accepted`` hears of every alert in passing, for a journal of a week takes seconds to read.

    Of several words on one thing (a recipient, a switch, a key) only the last is told: an older one would undo it for a
    moment, and a recipient who was taken out and came back would get a new ordinal at every start.  Edits of the
    directory that an import followed are part of it; told again they would put old addresses back.
    """
    records: dict[Hashable, tuple[int, Record]] = {}
    note: MarkRecord | None = None
    imported, newest = 0, None
    for number, record in _records(frames, accepted):
        stamp = stamp_of(record)
        newest = stamp if newest is None or stamp > newest else newest
        if not isinstance(record, MarkRecord):
            subject = subject_of(record, number)
            records.pop(subject, None)
            records[subject] = (number, record)
        elif record.note == APPLIED:
            note = record
        elif record.note == IMPORTED:
            imported = int(record.values["before"])
    applied = int(note.values["applied"]) if note is not None else 0
    open_ = frozenset(note.values["open"]) if note is not None else frozenset[int]()
    entries = []
    for number, record in records.values():
        confirmed = number <= applied and number not in open_
        if not (isinstance(record, DirectoryRecord) and confirmed and number <= imported):
            entries.append(Entry(number, record, lost or confirmed))
    noted = note.values.get("memories", {}) if note is not None else {}
    memories = {int(place): (run, name) for place, (run, name) in noted.items()}
    return Reading(tuple(entries), applied, newest, memories)


def _records(frames: Iterable[Frame], accepted: Callable[[AcceptRecord], None]) -> Iterator[tuple[int, Record]]:
    """Yield what can be read, with its number."""
    for frame in frames:
        record = decoded(frame)
        if isinstance(record, AcceptRecord):
            accepted(record)
        if record is not None:
            yield frame.seq, record


def subject_of(record: Record, number: int) -> Hashable:
    """Return what a record is the last word on; for most it is the record alone."""
    match record:
        case DirectoryRecord(op="put" | "delete"):
            return ("recipient", record.id)
        case ControlRecord():
            return ("switch", record.channel)
        case KeyRecord():
            return ("key", record.entry.get("key_id"))
        case _:
            return number


def stamp_of(record: Record) -> datetime:
    """Return when a record was made, by the clock of this node."""
    return record.received_at if isinstance(record, AcceptRecord) else record.at


def decoded(frame: Frame) -> Record | None:
    """Return a frame's record; None for one that this relay cannot read: it stays in the journal."""
    try:
        return decode(frame)
    except ValueError:
        log.exception("journal_record_unreadable", number=frame.seq)
        return None
