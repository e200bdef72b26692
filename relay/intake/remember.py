"""Remember: bring journalled records into Redis, now, later, and again after a loss (design §6, *Recovery*)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime

import structlog

from relay.clock import Clock
from relay.errors import RelayError, StoreFull, StoreUnavailable
from relay.intake import live
from relay.intake.journal import Journal
from relay.intake.order import NEVER, URGENT, End, ends_of, rank_of
from relay.intake.places import ANYWHERE, single
from relay.intake.records import AcceptRecord, MarkRecord, Record, encode, frame_type_of
from relay.intake.waiting import Pending, PlaceOf, Waiting
from relay.store.memories import ANY_MEMORY, DIRECTORY, Memories, Memory

log = structlog.get_logger()

_PERIOD = 1.0
_LONGEST_PAUSE = 60.0
#: What is ended by a word that another place has not heard yet waits for so many seconds, and again.
_MOMENT = 0.25
#: A record whose counterpart has not come back after this many tries (ten minutes) has none any more.
_MOST_TRIES = 14

#: Tells Redis of a record; with the memory that it is told again, None when it is told for the first time.
Apply = Callable[[Record, int, Memory | None], Awaitable[None]]


class NotYet(RelayError):
    """What a record is about is not back in Redis yet; it is applied a little later, and nothing waits for it."""


class Remember:
    """Records that are in the journal and not yet, or not any more, in Redis."""

    def __init__(
        self,
        journal: Journal,
        memories: Memories,
        *,
        node: str,
        clock: Clock,
        apply: Apply,
        place_of: PlaceOf = single,
    ) -> None:
        """``place_of`` tells which slot of Redis a record is for; on one server everything has one place."""
        self._journal = journal
        self._memories = memories
        self._place_of = place_of
        self._node = node
        self._clock = clock
        self._apply = apply
        self._waiting = Waiting(place_of)
        self._aside: list[tuple[float, Pending]] = []
        self._applied = self._confirmed = self._noted = 0
        self._known: dict[int, Memory] = {}
        self._before: dict[int, Memory] = {}  # whom the process before this one told last
        self._there: set[int] = set()
        self._wake = asyncio.Event()
        self.lost_at: datetime | None = None
        #: The newest stamp in the journal when it was read: a clock behind it is wrong.
        self.newest: datetime | None = None
        #: Called before records are applied again after a loss: the directory comes first.
        self.on_loss: Callable[[], Awaitable[None]] | None = None

    @property
    def pending(self) -> int:
        """How many records wait for Redis."""
        return len(self._waiting)

    @property
    def available(self) -> bool:
        """Whether Redis answered when it was asked last; all of it, where it is on several servers."""
        return self._there.issuperset(self._memories.places)

    @available.setter
    def available(self, there: bool) -> None:
        self._there = {*self._memories.places, ANYWHERE} if there else set()

    def reaches(self, place: int) -> bool:
        """Whether the server of a place answered when it was asked last."""
        return place in self._there

    def away(self, place: int, error: BaseException | None = None) -> None:
        """Take note that a place did not answer: until it does, nobody waits for it.  One that is full did answer."""
        if not isinstance(error, StoreFull):
            self._there.discard(place)

    @property
    def applied(self) -> int:
        """The highest journal number that Redis confirmed."""
        return self._applied

    def waits(self, kind: type[Record]) -> bool:
        """Whether a record of this kind waits: a later one must not overtake it."""
        return self._waiting.any_of(kind)

    def applied_now(self, number: int) -> None:
        """A record was applied at once."""
        self._applied = max(self._applied, number)
        self._confirmed += 1

    def later(self, record: Record, number: int, *, again: bool = False, end: End = NEVER) -> None:
        """Keep a record until Redis takes it; ``end`` is what ends it, and is told first."""
        rank = max(rank_of(record, again=again), end.rank)
        if self._waiting.add(Pending(rank, number, record, again, behind=end.words)):
            self._wake.set()

    async def load(self, reading: live.Reading | None = None) -> int:
        """Queue every live record of the journal, as after a restart; returns how many.

        ``reading``: it was read just now.  Redis answers "same" for what it knows.
        """
        if reading is None:
            reading = await asyncio.to_thread(lambda: live.read(self._journal.records(), lost=False))
        self._queue(reading)
        self._applied, self.newest = reading.applied, reading.newest
        self._before = {place: Memory(*memory) for place, memory in reading.memories.items()}
        return len(reading.entries)

    async def run(self, stopping: asyncio.Event) -> None:
        """Apply what waits, the worst news first, and notice when Redis has lost something; until ``stopping``."""
        while not stopping.is_set():
            try:
                await self._watch()
                self._take_back()
                await self._drain(stopping)
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
        # Taken off before the call: worse news may arrive during it and is the first then.
        while not stopping.is_set() and (head := self._waiting.take(self._there)) is not None:
            if any(word in self._waiting for word in head.behind):
                self._aside.append((self._clock.monotonic() + _MOMENT, head))
                continue
            try:
                memory = self._known.get(self._place_of(head.record), ANY_MEMORY) if head.again else None
                await self._apply(head.record, head.number, memory)
            except StoreFull:
                # It waits alone: worse news has room that this has not.
                self._put_aside(head, most=None, longest=_PERIOD if head.rank <= URGENT else _LONGEST_PAUSE)
            except StoreUnavailable:
                self._waiting.back(head)
                self.away(self._place_of(head.record))
            except NotYet:
                self._put_aside(head, most=_MOST_TRIES)
            except Exception:  # a defect in one record must not end the process that accepts
                log.exception("record_not_applied", number=head.number, kind=type(head.record).__name__)
                self._put_aside(head, most=None)
            else:
                self._waiting.done(head)
                self.applied_now(head.number)

    def _put_aside(self, item: Pending, *, most: int | None, longest: float = _LONGEST_PAUSE) -> None:
        """Try a record again after a growing pause, ``most`` times; what nobody understands stays for ever."""
        item.tries += 1
        if most is not None and item.tries >= most:
            log.warning("record_without_counterpart", number=item.number)
            self._waiting.done(item)
            return
        due = self._clock.monotonic() + min(longest, 2.0 ** min(item.tries - 1, 16))
        self._aside.append((due, item))

    def _take_back(self) -> None:
        now = self._clock.monotonic()
        for _, item in (pair for pair in self._aside if pair[0] <= now):
            self._waiting.back(item)
        self._aside = [pair for pair in self._aside if pair[0] > now]

    async def _watch(self) -> None:
        """Notice that Redis may have lost records: another server run answers, or our name is gone from its marks.

        The mark's number alone would hide a hole: one alert accepted after a loss raises it again.
        """
        found = await self._memories.read(self._node)
        changed = {place: memory for place, memory in found.items() if memory != self._known.get(place)}
        lost = {place for place in changed if place in self._known}
        if lost:
            await self._again(lost, emptied=any(changed[p].name != self._known[p].name for p in lost))
        for place, memory in changed.items():
            if self._before.pop(place, memory) != memory:
                # The process before this one may have told more than it could note.
                self._waiting.doubt(place)
            name = memory.name or secrets.token_hex(8)
            await self._memories.name(self._node, place, name)
            self._known[place] = Memory(memory.run, name)
        self._there = {*found, ANYWHERE}

    async def _again(self, lost: Collection[int], *, emptied: bool) -> None:
        """Queue everything that the places in ``lost`` may have forgotten."""
        self.lost_at = self._clock.now()
        log.warning("store_may_have_lost_records", emptied=emptied, places=sorted(lost))
        if self.on_loss is not None and (DIRECTORY in lost or DIRECTORY not in self._memories.places):
            await self.on_loss()
        # Redis answers "same" for what it still knows.
        self._queue(await asyncio.to_thread(lambda: live.read(self._journal.records(), lost=True)), {*lost, ANYWHERE})

    def _queue(self, reading: live.Reading, places: Collection[int] | None = None) -> None:
        over = ends_of(reading)
        for entry in reading.entries:
            if places is None or self._place_of(entry.record) in places:
                k1 = entry.record.k1 if isinstance(entry.record, AcceptRecord) else ""
                self.later(entry.record, entry.number, again=entry.again, end=over.get(k1, NEVER))

    async def _note(self) -> None:
        """Note in the journal what was applied, so that a restart can tell "lost" from "not yet".

        Only when something was: while Redis is away the list of what waits must not fill the disk, once a moment.
        """
        if self._confirmed == self._noted:
            return
        confirmed = self._confirmed
        values = {
            "applied": self._applied,
            "open": sorted(n for n in self._waiting.numbers if n < self._applied)[:10_000],
            "memories": {str(place): (memory.run, memory.name) for place, memory in self._known.items()},
        }
        if await self.mark(live.APPLIED, values):
            self._noted = confirmed

    async def mark(self, note: str, values: dict[str, object]) -> bool:
        """Note something in the journal; False when it cannot be written, which costs a label and never an alert."""
        record = MarkRecord(at=self._clock.now(), note=note, values=values)
        try:
            await self._journal.append(frame_type_of(record), encode(record))
        except Exception:  # noqa: BLE001 -- see above
            log.warning("journal_note_failed", note=note)
            return False
        return True
