"""What of a leg nobody looks after: the pure part of reconciling (design §9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relay.store.cursor import Cursor
from relay.tracking.states import RECORD_BYTES, TERMINAL, Flag, State

_NO_CHANNEL = 360_000
#: Later than any time in a record.
NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Range:
    """Positions ``first`` to ``last`` (exclusive) of a segment."""

    segment: int
    first: int
    last: int

    @classmethod
    def of(cls, member: str) -> Range:
        """Read the range of a chunk's name ``leg|segment|first|last``."""
        _, segment, first, last = member.split("|")
        return cls(int(segment), int(first), int(last))


def states_of(records: bytes, size: int) -> NDArray[np.uint8]:
    """Return the state of each position; what was never written is queued."""
    padded = records.ljust(size * RECORD_BYTES, b"\0")
    return np.frombuffer(padded, np.uint8)[::RECORD_BYTES]


def orphans(segment: int, states: NDArray[np.uint8], cursor: Cursor, covered: Iterable[Range]) -> list[Range]:
    """Return ranges of claimed positions that are neither final, nor accepted, nor covered by a lease or a retry."""
    size = len(states)
    claimed = size if segment < cursor.segment else cursor.position if segment == cursor.segment else 0
    open_ = (states < TERMINAL) & (states != State.ACCEPTED)
    open_[claimed:] = False
    for part in covered:
        if part.segment == segment:
            open_[part.first : part.last] = False
    return [Range(segment, first, last) for first, last in _runs(open_)]


def receipts_due(records: bytes, size: int, *, deadlines: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Return for each position until when its receipt is waited for; :data:`NEVER` for what waits for none.

    ``deadlines`` are (channel index, hundredths of a second); times count from the start of the leg.  A channel that
    was taken out of the configuration is waited for an hour.
    """
    table = np.frombuffer(records.ljust(size * RECORD_BYTES, b"\0"), np.uint8).reshape(size, RECORD_BYTES)
    patience = np.full(256, _NO_CHANNEL, np.int64)
    for channel, deadline in deadlines:
        patience[channel] = deadline
    accepted = table[:, 8:12].copy().view("<u4")[:, 0].astype(np.int64)
    return np.where(table[:, 0] == State.ACCEPTED, accepted + patience[table[:, 3]], NEVER)


def overdue(due: NDArray[np.int64], *, now: int) -> list[int]:
    """Return the positions whose receipt did not come in time; ``now`` counts from the start of the leg."""
    return [int(position) for position in np.flatnonzero(due <= now)]


def in_doubt(records: bytes, size: int) -> list[int]:
    """Return positions that wait to be tried again although an earlier hand-over may have arrived."""
    table = np.frombuffer(records.ljust(size * RECORD_BYTES, b"\0"), np.uint8).reshape(size, RECORD_BYTES)
    doubted = (table[:, 0] == State.RETRYING) & (table[:, 5] & Flag.IN_DOUBT != 0)
    return [int(p) for p in np.flatnonzero(doubted)]


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, last) of each run of true, no run longer than a chunk."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(a, min(a + 500, last)) for first, last in runs for a in range(first, last, 500)]
