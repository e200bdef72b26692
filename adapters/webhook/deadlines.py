"""Ending what takes too long, with one timer for all: everybody has the same patience, so the oldest is next."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Overdue(Protocol):
    """Something that may take too long."""

    def time_out(self) -> None:
        """It took too long."""
        ...


class Deadlines:
    """Calls ``time_out`` of what was added ``patience`` seconds ago and not discarded since."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._due: dict[Overdue, float] = {}  # in the order of their times
        self._timer: asyncio.TimerHandle | None = None

    def add(self, thing: Overdue, *, now: float) -> None:
        """Begin to watch ``thing``; ``now`` is the loop's time."""
        self._due[thing] = due = now + self._patience
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due, self._ring)

    def discard(self, thing: Overdue) -> None:
        """Stop watching; harmless when it is not watched."""
        self._due.pop(thing, None)

    def close(self) -> None:
        """Watch nothing any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._timer = None
        late = []
        for thing, due in self._due.items():
            if due > now:
                self._timer = loop.call_at(due, self._ring)
                break
            late.append(thing)
        for thing in late:
            del self._due[thing]
        for thing in late:
            thing.time_out()
