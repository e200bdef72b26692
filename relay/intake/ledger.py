"""The ledger: whatever a person decides is journalled first and told to Redis after, like an alert (design §6)."""

from __future__ import annotations

import asyncio

from relay.errors import StoreUnavailable
from relay.intake.journal import Journal
from relay.intake.records import Record, encode, frame_type_of
from relay.intake.remember import Apply, Remember


class Ledger:
    """Writes decisions so that they survive whatever happens next."""

    def __init__(self, journal: Journal, remember: Remember, apply: Apply, *, budget: float) -> None:
        self._journal = journal
        self._remember = remember
        self._apply = apply
        self._budget = budget

    async def write(self, record: Record) -> bool:
        """Journal ``record`` and apply it; False when Redis will be told later.

        Raises:
            JournalUnavailable: nothing was decided.
        """
        number = await self._journal.append(frame_type_of(record), encode(record))
        try:
            async with asyncio.timeout(self._budget):
                await self._apply(record, number, False)  # noqa: FBT003 -- the shape of Apply
        except (StoreUnavailable, TimeoutError):
            self._remember.later(record, number)
            return False
        self._remember.applied_now(number)
        return True
