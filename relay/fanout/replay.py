"""The outcomes of the last seconds, told again when Redis may have forgotten them (design §6).

Redis acknowledges a settle before it is on disk.  After another server run answers, or the store was emptied, every
worker repeats what it settled lately; the merge table makes the repetition harmless.  Records are matched by
recipient, not by rank, because a leg that was planned again may rank people differently.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.ids import partition_of_leg
from relay.fanout.segment import Segment
from relay.store.chunks import Chunks
from relay.store.legs import Legs
from relay.store.settlement import Settlement
from relay.tracking.states import Record, merge

log = structlog.get_logger()

#: AOF ``everysec`` may lose about two seconds; ten leave room for a slow disk.
REMEMBER = 10.0
#: How long outcomes wait for their leg to come back from the journal.
GIVE_UP = 120.0


@dataclass(frozen=True, slots=True)
class _Told:
    at: float
    start_ms: float  # of the leg at that time, 0 when it is not known: the times in records count from it
    settlement: Settlement
    segment: Segment


class Replay:
    """One worker's recent settles."""

    def __init__(self, chunks: Chunks, legs: Legs, *, clock: Clock) -> None:
        self._chunks = chunks
        self._legs = legs
        self._clock = clock
        self._told: deque[_Told] = deque()
        self._pending: dict[str, list[_Told]] = {}

    def remember(self, settlement: Settlement, segment: Segment) -> None:
        """Keep a settle that Redis acknowledged."""
        told = self._note(settlement, segment)
        self._told.append(told)
        while self._told and self._told[0].at < told.at - REMEMBER:
            self._told.popleft()

    def owe(self, settlement: Settlement, segment: Segment) -> None:
        """Keep a settle whose leg Redis does not know now."""
        self._pending.setdefault(settlement.leg_id, []).append(self._note(settlement, segment))

    def _note(self, settlement: Settlement, segment: Segment) -> _Told:
        start = settlement.chunk.start_ms if settlement.chunk else 0.0
        bare = replace(settlement, chunk=None, final=False, retry_at=0, log=b"")
        return _Told(self._clock.monotonic(), start, bare, segment)

    def forgotten(self, place: int | None = None) -> None:
        """A partition may have forgotten, or (None) everything: owe it what was settled in the last seconds."""
        horizon = self._clock.monotonic() - REMEMBER
        for told in self._told:
            if told.at >= horizon and (place is None or partition_of_leg(told.settlement.leg_id) == place):
                self._pending.setdefault(told.settlement.leg_id, []).append(told)
        if self._pending:
            log.warning("settles_repeated", legs=len(self._pending), batches=sum(map(len, self._pending.values())))

    @property
    def owing(self) -> bool:
        """Whether anything waits to be repeated."""
        return bool(self._pending)

    def owes(self, leg_ids: Iterable[str]) -> bool:
        """Whether Redis does not know yet all that this worker knows of some legs."""
        return any(leg_id in self._pending for leg_id in leg_ids)

    async def repeat(self, leg_id: str) -> None:
        """Repeat what is owed to one leg, if the leg is known.

        Raises:
            StoreUnavailable: Redis is away; nothing is forgotten here.
        """
        waiting = list(self._pending.get(leg_id, ()))
        leg = await self._legs.get(leg_id) if waiting else None
        if leg is None:
            return
        # The look that each of these had asked for is forgotten too: a look now finds out when the next one is due.
        now = int(self._clock.time() * 1000)
        for number, size in enumerate(leg.cursor.sizes):
            segment = await self._legs.segment(leg_id, number)
            records = _in_segment(waiting, segment, leg.cursor.start) if segment is not None else {}
            if records:
                first = waiting[0].settlement
                if (
                    await self._chunks.settle(replace(first, segment=number, size=size, records=records, check_at=now))
                    is None
                ):
                    return
        # What was owed while this waited for Redis is not told yet.
        done = {id(told) for told in waiting}
        rest = [told for told in self._pending.get(leg_id, ()) if id(told) not in done]
        self._pending.pop(leg_id, None)
        if rest:
            self._pending[leg_id] = rest

    async def repeat_all(self) -> None:
        """Repeat everything whose leg is known, and give up on what has waited too long."""
        horizon = self._clock.monotonic() - GIVE_UP
        for leg_id in list(self._pending):
            try:
                await self.repeat(leg_id)
            except StoreUnavailable:
                # The legs of other partitions need not wait for it.
                continue
            if leg_id in self._pending and self._pending[leg_id][-1].at < horizon:
                log.error("settles_given_up", leg=leg_id, batches=len(self._pending.pop(leg_id)))


def _in_segment(waiting: list[_Told], segment: Segment, start_ms: float) -> Mapping[int, Record]:
    """Return the owed records that belong to ``segment``, by their position there.

    They are merged, for they are not always in the order in which they came to be.
    """
    found: dict[int, Record] = {}
    for told in waiting:
        ordinals, slots = told.segment.ordinals, told.segment.slots
        later = int((start_ms - told.start_ms) / 10) if told.start_ms else 0
        for position, record in told.settlement.records.items():
            place = segment.positions.get((int(ordinals[position]), int(slots[position])))
            if place is not None:
                found[place] = merge(found.get(place, Record()), _from(record, later))
    return found


def _from(record: Record, later: int) -> Record:
    """Return a record whose times count from a start that is ``later`` (hundredths of a second) than it was."""
    if not later:
        return record
    accepted, ended, due = (max(1, t - later) if t else 0 for t in (record.accepted, record.ended, record.due))
    return replace(record, accepted=accepted, ended=ended, due=due)
