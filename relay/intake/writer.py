"""The journal's writer: makes one group of records durable, and survives a failing disk without a lie.

A write or fsync error poisons the segment: it is never synced again, because the kernel may have dropped the pages
and a second fsync would say that all is well.  The group is written again to a fresh segment; when that fails too it
is refused, and after a short pause the next group tries a fresh segment, so the journal heals when space returns.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from relay.clock import Clock
from relay.errors import JournalUnavailable
from relay.intake import segment
from relay.intake.frames import encode_frame
from relay.intake.fsyncs import Fsyncs
from relay.intake.segment import Sync

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be written: a frame type and its payload."""

    type: int
    payload: bytes


class SegmentWriter:
    """Writes groups of records to segments; used by one thread.

    ``acked`` is the last durable sequence number; ``error`` is empty while groups succeed.
    """

    def __init__(
        self, directory: Path, *, node: str, segment_bytes: int, retry_pause: float, clock: Clock, sync: Sync
    ) -> None:
        self._directory = directory
        self._node = node
        self._segment_bytes = segment_bytes
        self._retry_pause = retry_pause
        self._clock = clock
        self._sync = sync
        self._active: segment.OpenSegment | None = None
        self._poisoned: dict[str, int] = {}
        self._retry_at = 0.0
        ending = segment.ending_of(segment.segments_of(directory))
        self._epoch, self._number, self._next_seq = ending.epoch, ending.number, ending.seq
        self.acked = ending.seq - 1
        self.error = ""
        self.fsyncs = Fsyncs()

    def commit(self, group: Sequence[Record]) -> int:
        """Make a group durable and return the sequence number of its first record; the others follow it.

        Raises:
            JournalUnavailable: nothing of the group counts.
        """
        first = self._next_seq
        # Never used again, even when the group is refused: a number names one record for ever.
        self._next_seq += len(group)
        if self._active is None and self.error and self._clock.monotonic() < self._retry_at:
            raise JournalUnavailable(self.error)
        if self._active is not None:
            try:
                return self._write(group, first)
            except OSError as error:
                self._poison(error)
        try:
            return self._write(group, first)
        except OSError as error:
            self._poison(error)
            self._retry_at = self._clock.monotonic() + self._retry_pause
            raise JournalUnavailable(self.error) from error

    def readable(self, path: Path) -> int | None:
        """Return how many bytes of a segment count; None when it was finished in order, or by an earlier process."""
        active = self._active
        if active is not None and active.path == path:
            return active.synced
        return self._poisoned.get(path.name)

    def close(self) -> None:
        """Let go of the segment; everything acknowledged is durable already.

        After a failure that still lasts, one more header is tried: it makes the refused bytes of the poisoned segment
        void for the next process.
        """
        if self._active is None and self.error:
            with contextlib.suppress(OSError):
                self._current()
        active, self._active = self._active, None
        if active is not None:
            os.close(active.fd)

    def _write(self, group: Sequence[Record], first: int) -> int:
        active = self._current()
        marker = active.header.marker
        content = b"".join(
            encode_frame(marker, seq=first + n, frame_type=record.type, payload=record.payload)
            for n, record in enumerate(group)
        )
        segment.write_all(active.fd, content)
        started = self._clock.monotonic()
        self._sync(active.fd)
        self.fsyncs.add(self._clock.monotonic() - started)
        active.synced += len(content)
        self.acked = first + len(group) - 1
        self.error = ""
        return first

    def _current(self) -> segment.OpenSegment:
        """Return the segment to write to: a new one when there is none or it is full."""
        active = self._active
        if active is not None and active.synced < self._segment_bytes:
            return active
        path = segment.path_of(self._directory, self._number)
        self._number += 1
        self._active = segment.create(path, node=self._node, epoch=self._epoch, base=self.acked + 1, sync=self._sync)
        if active is not None:
            os.close(active.fd)
        return self._active

    def _poison(self, error: OSError) -> None:
        """Give up the active segment: what it acknowledged stays, the rest is void."""
        self.error = error.strerror or str(error)
        active, self._active = self._active, None
        log.error("journal_poisoned", error=self.error, segment=active.path.name if active else "", seq=self.acked)
        if active is not None:
            self._poisoned[active.path.name] = active.synced
            segment.abandon(active, error)
