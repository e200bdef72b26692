"""Housekeeping: old files leave the archive, and forgotten things leave Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.process import pause
from relay.store.sweep import Sweep
from relay.tracking.archive import Archive

log = structlog.get_logger()

_PERIOD = 600.0
_DAY_MS = 24 * 3600 * 1000


class Housekeeping:
    """Looks every ten minutes."""

    def __init__(self, archive: Archive, sweeps: Sequence[Sweep], *, keep_days: float, clock: Clock) -> None:
        self._archive = archive
        self._sweeps = sweeps
        self._keep_days = keep_days
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look now and then until ``stopping``."""
        while not stopping.is_set():
            await pause(stopping, seconds=_PERIOD)
            if not stopping.is_set():
                await self.once()

    async def once(self) -> None:
        """Remove what has had its time; what cannot be removed now is tried again."""
        now = int(self._clock.time() * 1000)
        oldest = now - int(self._keep_days * _DAY_MS) if self._keep_days else 0
        try:
            gone = await asyncio.to_thread(self._archive.tidy, now_ms=now, oldest_ms=oldest)
            swept = sum([await sweep.once(now_ms=now) for sweep in self._sweeps])
        except StoreUnavailable:
            return
        except OSError as error:
            log.warning("archive_not_tidied", error=error.strerror)
            return
        if gone or swept:
            log.info("tidied", archived_alerts=gone, forgotten=swept)
