"""Remember: bring journalled records into Redis, now, later, and again after a loss (design §6, *Recovery*)."""

from __future__ import annotations

import asyncio
import heapq
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from relay.adapter import Class
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.intake.frames import Frame
from relay.intake.journal import Journal
from relay.intake.records import AcceptRecord, MarkRecord, Record, decode, encode, frame_type_of
from relay.store.alerts import Alerts, Memory

log = structlog.get_logger()

_ORDER = {klass: rank for rank, klass in enumerate(Class)}
_PERIOD = 1.0

#: Applies one record; ``again``: it had been applied before and was lost.
Apply = Callable[[Record, int, bool], Awaitable[None]]


@dataclass(order=True, slots=True)
class _Pending:
    rank: int
    number: int
    record: Record = field(compare=False)
    again: bool = field(compare=False)


class Remember:
    """Records that are in the journal and not yet, or not any more, in Redis."""

    def __init__(self, journal: Journal, alerts: Alerts, *, node: str, clock: Clock, apply: Apply) -> None:
        self._journal = journal
        self._alerts = alerts
        self._node = node
        self._clock = clock
        self._apply = apply
        self._pending: list[_Pending] = []
        self._known: set[int] = set()
        self._applied = 0
        self._noted = (0, 0)
        self._memory: Memory | None = None
        self._wake = asyncio.Event()
        self.available = False
        self.lost_at: datetime | None = None
        #: Called before records are applied again after a loss: the directory comes first.
        self.on_loss: Callable[[], Awaitable[None]] | None = None

    @property
    def pending(self) -> int:
        """How many records wait for Redis."""
        return len(self._pending)

    @property
    def applied(self) -> int:
        """The highest journal number that Redis confirmed."""
        return self._applied

    def applied_now(self, number: int) -> None:
        """A record was applied at once."""
        self._applied = max(self._applied, number)

    def later(self, record: Record, number: int, *, again: bool = False) -> None:
        """Keep a record until Redis takes it."""
        if number in self._known:
            return
        self._known.add(number)
        heapq.heappush(self._pending, _Pending(_rank(record), number, record, again))
        self._wake.set()

    async def load(self) -> int:
        """Queue every live record of the journal, as after a restart; returns how many.

        Redis answers "same" for what it knows, so this costs little when nothing was lost.
        """
        frames = await asyncio.to_thread(lambda: list(self._journal.records()))
        noted, open_ = _last_note(frames)
        count = 0
        for frame in frames:
            record = _read(frame)
            if record is not None and not isinstance(record, MarkRecord):
                self.later(record, frame.seq, again=frame.seq <= noted and frame.seq not in open_)
                count += 1
        self._applied = noted
        return count

    async def run(self, stopping: asyncio.Event) -> None:
        """Apply what waits, the worst news first, and notice when Redis has lost something; until ``stopping``."""
        while not stopping.is_set():
            try:
                await self._watch()
                await self._drain(stopping)
                self.available = True
            except StoreUnavailable:
                self.available = False
            await self._note()
            self._wake.clear()
            try:
                async with asyncio.timeout(_PERIOD if self.available else 0.2):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _drain(self, stopping: asyncio.Event) -> None:
        while self._pending and not stopping.is_set():
            head = self._pending[0]
            await self._apply(head.record, head.number, head.again)
            heapq.heappop(self._pending)
            self._known.discard(head.number)
            self.applied_now(head.number)

    async def _watch(self) -> None:
        """Notice that Redis may have lost records: another server run answers, or our name is gone from its marks.

        The mark's number alone would hide a hole: one alert accepted after a loss raises it again.
        """
        memory = await self._alerts.memory(self._node)
        if memory == self._memory:
            return
        if self._memory is not None:
            self.lost_at = self._clock.now()
            log.warning("store_may_have_lost_records", emptied=memory.name != self._memory.name)
            if self.on_loss is not None:
                await self.on_loss()
            await self._again()
        name = memory.name or secrets.token_hex(8)
        await self._alerts.name_memory(self._node, name)
        self._memory = Memory(memory.run, name)

    async def _again(self) -> None:
        """Queue every record that was applied; Redis answers "same" for what it still knows."""
        frames = await asyncio.to_thread(lambda: list(self._journal.records()))
        for frame in frames:
            record = _read(frame)
            if record is not None and not isinstance(record, MarkRecord):
                self.later(record, frame.seq, again=True)

    async def _note(self) -> None:
        """Note in the journal what was applied, so that a restart can tell "lost" from "not yet"."""
        note = (self._applied, len(self._pending))
        if note == self._noted or not self._applied:
            return
        values = {"applied": self._applied, "open": sorted(self._known)[:10_000]}
        record = MarkRecord(at=self._clock.now(), note="applied", values=values)
        try:
            await self._journal.append(frame_type_of(record), encode(record))
        except Exception:  # noqa: BLE001 -- a note that cannot be written costs a label, never an alert
            log.warning("journal_note_failed")
            return
        self._noted = note


def _rank(record: Record) -> int:
    """Directory edits first, for alerts are matched against them; then by class; answers last."""
    if isinstance(record, AcceptRecord):
        return 1 + _ORDER.get(Class(record.klass or "P2"), 2)
    return {"DirectoryRecord": 0, "KeyRecord": 0, "ControlRecord": 0, "AckRecord": 9}.get(type(record).__name__, 8)


def _read(frame: Frame) -> Record | None:
    try:
        return decode(frame)
    except ValueError:
        log.exception("journal_record_unreadable", number=frame.seq)
        return None


def _last_note(frames: Iterable[Frame]) -> tuple[int, frozenset[int]]:
    noted, open_ = 0, frozenset[int]()
    for frame in frames:
        record = _read(frame)
        if isinstance(record, MarkRecord) and record.note == "applied":
            noted, open_ = int(record.values["applied"]), frozenset(record.values["open"])
    return noted, open_
