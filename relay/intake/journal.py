"""The journal: what this node promised, fsynced before it is answered.

One thread writes; appends that wait at the same time share one ``fdatasync`` (group commit).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from relay.clock import Clock, SystemClock
from relay.errors import JournalUnavailable
from relay.intake import segment
from relay.intake.frames import FRAME_BYTES, MAX_PAYLOAD, Frame, FrameType
from relay.intake.fsyncs import FsyncStats
from relay.intake.segment import Sync
from relay.intake.writer import Record, SegmentWriter

log = structlog.get_logger(__name__)

_SYNC: Sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync
_GROUP_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLimits:
    """How large a segment grows, how much may wait, and the pause in seconds before a fresh segment is tried again."""

    segment_bytes: int = 64 * 1024 * 1024
    waiting: int = 8192
    waiting_bytes: int = 64 * 1024 * 1024
    retry_pause: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStatus:
    """The journal on the status page; ``error`` is empty while appends succeed, ``damaged`` names bad segments."""

    error: str
    waiting: int
    last_seq: int
    fsync: FsyncStats
    damaged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Waiting:
    record: Record
    done: asyncio.Future[int]


class Journal:
    """An append-only file of records, used from one event loop; :meth:`open` makes one."""

    def __init__(self, directory: Path, writer: SegmentWriter, limits: JournalLimits) -> None:
        self._directory = directory
        self._writer = writer
        self._limits = limits
        self._wake = threading.Condition()
        self._queue: list[_Waiting] = []
        self._queued_bytes = 0
        self._closing = False
        self._damaged: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        node: str,
        limits: JournalLimits | None = None,
        clock: Clock | None = None,
        sync: Sync = _SYNC,
    ) -> Journal:
        """Open or make the journal in ``directory`` and start its writer; blocks while it reads what is there.

        A full disk does not stop it: appends are refused until there is space.  ``sync`` makes one file durable;
        tests replace it to see what a failing disk does.

        Raises:
            OSError: the directory cannot be made or read.
        """
        limits = limits or JournalLimits()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        writer = SegmentWriter(
            directory,
            node=node,
            segment_bytes=limits.segment_bytes,
            retry_pause=limits.retry_pause,
            clock=clock or SystemClock(),
            sync=sync,
        )
        return cls(directory, writer, limits)

    async def append(self, frame_type: FrameType, payload: bytes) -> int:
        """Write one record and return its sequence number when it is fsynced.

        Raises:
            JournalUnavailable: it is not durable: answer 503.
            ValueError: the payload is larger than a frame can be.
        """
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"a journal record has at most {MAX_PAYLOAD} bytes")
        waiting = _Waiting(Record(int(frame_type), payload), asyncio.get_running_loop().create_future())
        with self._wake:
            self._admit(len(payload))
            self._queue.append(waiting)
            self._queued_bytes += len(payload)
            self._wake.notify()
        return await waiting.done

    def _admit(self, size: int) -> None:
        if self._closing:
            raise JournalUnavailable("the journal is closed")
        if len(self._queue) >= self._limits.waiting or self._queued_bytes + size > self._limits.waiting_bytes:
            raise JournalUnavailable("too many records wait for the disk")

    def records(self) -> Iterator[Frame]:
        """Yield every acknowledged record, oldest first; blocks on the disk, so run it in a thread.

        A damaged segment is reported (``status().damaged`` and the log) and what is good in it is yielded.

        Raises:
            OSError: a segment cannot be read.
        """
        paths = segment.segments_of(self._directory)
        for index in range(len(paths)):
            yield from self._frames_of(paths, index) or ()

    def _frames_of(self, paths: list[Path], index: int) -> tuple[Frame, ...] | None:
        path = paths[index]
        found = segment.read(path, limit=self._writer.readable(path))
        if found is None:
            return None
        if found.damage and path.name not in self._damaged:
            self._damaged.add(path.name)
            log.error("journal_damaged", segment=path.name, ranges=[(d.start, d.end) for d in found.damage])
        return segment.counted(found, segment.next_base(paths, index))

    def retire(self, is_live: Callable[[Frame], bool]) -> int:
        """Delete the segments in which no record is live, and return how many; blocks, so run it in a thread.

        The newest segment always stays: it knows the sequence numbers.  A damaged segment is set aside under another
        name instead, for whoever wants to know what was in it.

        Raises:
            OSError: a segment cannot be read or removed.
        """
        gone = 0
        paths = segment.segments_of(self._directory)
        for index, path in enumerate(paths[:-1]):
            frames = self._frames_of(paths, index)
            if frames is None or any(is_live(frame) for frame in frames) or self._makes_void(paths, index):
                continue
            if path.name in self._damaged:
                path.rename(path.with_name(path.name + segment.DAMAGED))
            else:
                path.unlink(missing_ok=True)
            gone += 1
        if gone:
            segment.sync_directory(self._directory)
        return gone

    def _makes_void(self, paths: list[Path], index: int) -> bool:
        """Whether removing this segment would bring back frames of the one before it, which its base makes void."""
        base = segment.base_of(paths[index])
        before = segment.read(paths[index - 1]) if index else None
        return base is not None and before is not None and bool(before.frames) and before.frames[-1].seq >= base

    def status(self) -> JournalStatus:
        """Return the figures for the status page."""
        return JournalStatus(
            error=self._writer.error,
            waiting=len(self._queue),
            last_seq=self._writer.acked,
            fsync=self._writer.fsyncs.stats(),
            damaged=tuple(sorted(self._damaged)),
        )

    async def close(self, *, deadline: float = 5.0) -> None:
        """Write what waits and stop; after ``deadline`` seconds leave a hung disk to itself and refuse what waits."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join, deadline)
        if self._thread.is_alive():
            log.error("journal_not_closed", waiting=len(self._queue))
        self._refuse_queue("the journal was closed")

    def _refuse_queue(self, reason: str) -> None:
        with self._wake:
            left, self._queue, self._queued_bytes = self._queue, [], 0
        _settle_soon(left, JournalUnavailable(reason))

    def _run(self) -> None:
        """Write groups until the journal is closed (the writer's thread)."""
        group: list[_Waiting] = []
        try:
            while group := self._take():
                try:
                    first: int | JournalUnavailable = self._writer.commit([waiting.record for waiting in group])
                except JournalUnavailable as error:
                    first = error
                _settle_soon(group, first)
            self._writer.close()
        finally:
            # Also when the writer failed in a way nobody foresaw: nobody may wait for a thread that is gone.
            self._closing = True
            _settle_soon(group, JournalUnavailable("the journal's writer has stopped"))
            self._refuse_queue("the journal's writer has stopped")

    def _take(self) -> list[_Waiting]:
        """Return the next group, some megabytes of it at most; empty when the journal is closed."""
        with self._wake:
            while not self._queue and not self._closing:
                self._wake.wait()
            size = taken = 0
            while taken < len(self._queue) and size < _GROUP_BYTES:
                size += len(self._queue[taken].record.payload) + FRAME_BYTES
                taken += 1
            group, self._queue = self._queue[:taken], self._queue[taken:]
            self._queued_bytes -= sum(len(waiting.record.payload) for waiting in group)
            return group


def _settle_soon(group: Sequence[_Waiting], first: int | JournalUnavailable) -> None:
    """Tell a whole group's event loop once; a loop that is closed has nobody left who waits."""
    if group:
        with contextlib.suppress(RuntimeError):
            group[0].done.get_loop().call_soon_threadsafe(_settle, group, first)


def _settle(group: Sequence[_Waiting], first: int | JournalUnavailable) -> None:
    for n, waiting in enumerate(group):
        if waiting.done.done():
            continue
        if isinstance(first, JournalUnavailable):
            waiting.done.set_exception(JournalUnavailable(*first.args))
        else:
            waiting.done.set_result(first + n)
