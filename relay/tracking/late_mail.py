"""Late mail: words that workers left, their leg not being in Redis, reach the archive or the leg that came back."""

from __future__ import annotations

import asyncio

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.process import pause
from relay.store.receipts import ReceiptStore
from relay.tracking.receipts import LateWord
from relay.tracking.writes import Writes

log = structlog.get_logger()

_PERIOD = 5.0
_BATCH = 200
_LOOKED_AT = 5000
#: A word that nobody wants is given up after so many seconds: its alert is of a node that is gone, or was never here.
PATIENCE = 24 * 3600.0


class LateMail:
    """Delivers late words of one partition; ``writes`` knows the archive."""

    def __init__(self, store: ReceiptStore, writes: Writes, *, clock: Clock) -> None:
        self._store = store
        self._writes = writes
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Deliver now and then until ``stopping``."""
        while not stopping.is_set():
            try:
                await self.once()
            except StoreUnavailable:
                log.debug("late_words_wait_for_redis")
            except Exception:  # a word that nobody understands must not end the process that accepts
                log.exception("late_words_not_delivered")
            await pause(stopping, seconds=_PERIOD)

    async def once(self) -> int:
        """Deliver what waits, and return how many words were taken.

        Raises:
            StoreUnavailable: Redis is away, or the archive cannot be read.
        """
        taken = first = 0
        while first < _LOOKED_AT and (words := await self._store.late_words(first=first, most=_BATCH)):
            for text in words:
                if await self._deliver(text):
                    await self._store.taken(text)
                    taken += 1
                else:
                    first += 1
        return taken

    async def _deliver(self, text: str) -> bool:
        ref, word = LateWord.unpack(text)
        if ref is None:
            return True
        place = await self._writes.leg(ref)
        if place is not None and await self._writes.write(place, word.record(place)):
            log.info("late_word", delivery=str(ref), state=word.state.word)
            return True
        if self._clock.time() - word.at > PATIENCE:
            log.error("late_word_without_delivery", delivery=str(ref), state=word.state.word)
            return True
        return False
