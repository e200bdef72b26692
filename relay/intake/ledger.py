"""The ledger: whatever a person decides is journalled first and told to Redis after, like an alert (design §6)."""

from __future__ import annotations

import asyncio

import structlog

from relay.errors import StoreUnavailable
from relay.intake.journal import Journal
from relay.intake.live import IMPORTED
from relay.intake.records import ControlRecord, DirectoryRecord, KeyRecord, Record, encode, frame_type_of
from relay.intake.remember import Apply, NotYet, Remember

log = structlog.get_logger()

#: Of these the last word counts, so they reach Redis in the order in which they were journalled.
_IN_ORDER = (DirectoryRecord, ControlRecord, KeyRecord)


class Ledger:
    """Writes decisions so that they survive whatever happens next."""

    def __init__(self, journal: Journal, remember: Remember, apply: Apply, *, budget: float) -> None:
        self._journal = journal
        self._remember = remember
        self._apply = apply
        self._budget = budget
        self._turn = asyncio.Lock()

    async def write(self, record: Record) -> bool:
        """Journal ``record`` and apply it; False when Redis will be told later.

        Raises:
            JournalUnavailable: nothing was decided.
        """
        number = await self._journal.append(frame_type_of(record), encode(record))
        if not isinstance(record, _IN_ORDER):
            return await self._tell(record, number)
        async with self._turn:
            if self._remember.waits(type(record)):
                # An older one waits for Redis: told now, this one would be undone by it a moment later.
                self._remember.later(record, number)
                return False
            return await self._tell(record, number)

    @property
    def waiting(self) -> bool:
        """Whether anything that was accepted here waits to be told to Redis."""
        return self._remember.pending > 0

    @property
    def position(self) -> int:
        """The number of the newest record."""
        return self._journal.status().last_seq

    async def imported(self, *, before: int) -> None:
        """Note that what was applied up to ``before`` is durable with an import, and would undo it if told again."""
        await self._remember.mark(IMPORTED, {"before": before})

    async def _tell(self, record: Record, number: int) -> bool:
        try:
            async with asyncio.timeout(self._budget):
                await self._apply(record, number, None)
        except (StoreUnavailable, NotYet, TimeoutError):
            self._remember.later(record, number)
            return False
        except Exception:  # it is journalled, so it counts whatever went wrong here
            log.exception("record_not_applied", number=number, kind=type(record).__name__)
            self._remember.later(record, number)
            return False
        self._remember.applied_now(number)
        return True
