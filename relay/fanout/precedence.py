"""Precedence inside one process: what is less urgent gives way for a moment to the worst news."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from relay.adapter import Class

#: One step of less urgent work is put off by at most this many seconds, so that nothing starves.
_MOMENT = 0.05


class Precedence:
    """Who is at work.  One event loop does everything in turn, so a flash would stand behind steps of low chunks."""

    def __init__(self) -> None:
        self._ahead = 0
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def ahead(self, klass: Class) -> Iterator[None]:
        """Let others give way inside the block, if ``klass`` is urgent; not while waiting for a provider."""
        if klass not in (Class.P0, Class.P1):
            yield
            return
        self._ahead += 1
        self._free.clear()
        try:
            yield
        finally:
            self._ahead -= 1
            if not self._ahead:
                self._free.set()

    async def give_way(self, klass: Class) -> None:
        """Wait a moment while more urgent work is done."""
        if not self._ahead or klass in (Class.P0, Class.P1):
            return
        try:
            async with asyncio.timeout(_MOMENT):
                await self._free.wait()
        except TimeoutError:
            return
