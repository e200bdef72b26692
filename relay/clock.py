"""Time as an argument: the one place that reads the machine's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What anything that needs the time is given."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        ...

    def time(self) -> float:
        """Return the wall-clock time in seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        ...


class ServerClock:
    """The machine's clock, moved by ``offset`` seconds: a worker whose own clock is wrong follows the server's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset = 0.0

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return self._clock.now() + timedelta(seconds=self.offset)

    def time(self) -> float:
        """Return the wall-clock time in seconds since the epoch."""
        return self._clock.time() + self.offset

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return self._clock.monotonic()


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def time(self) -> float:
        """Return the wall-clock time in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return time.monotonic()
