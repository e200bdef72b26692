"""Precedence inside one process: what is less urgent gives way for a moment to the worst news."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from relay.adapter import Class

#: A slice of less urgent work is put off by at most this many seconds, so that nothing starves.
_MOMENT = 0.05
#: Others still give way for this many seconds after a piece of urgent work: the next piece comes at once (from the bell
#: to the plan, from the plan to the claim).
_LINGER = 0.02

_URGENT = (Class.P0, Class.P1)


class Precedence:
    """Who is at work.  One event loop does everything in turn, so a flash would stand behind slices of low chunks."""

    def __init__(self) -> None:
        self._ahead = 0
        self._free = asyncio.Event()
        self._free.set()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def ahead(self, klass: Class) -> Iterator[None]:
        """Let others give way inside the block, if ``klass`` is urgent; not while waiting for a provider."""
        if klass not in _URGENT:
            yield
            return
        self._ahead += 1
        self._free.clear()
        try:
            yield
        finally:
            self._ahead -= 1
            self.coming()

    def coming(self) -> None:
        """Urgent work is about to come."""
        self._free.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_LINGER, self._release)

    async def give_way(self, klass: Class) -> None:
        """End a slice of work: others get a turn, and more urgent work gets a moment."""
        await asyncio.sleep(0)
        if self._free.is_set() or klass in _URGENT:
            return
        try:
            async with asyncio.timeout(_MOMENT):
                await self._free.wait()
        except TimeoutError:
            return

    def _release(self) -> None:
        if not self._ahead:
            self._free.set()
