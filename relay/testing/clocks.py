"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


class FakeClock:
    """Implements :class:`relay.clock.Clock`; wall-clock and monotonic time move together unless told otherwise."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return self._now

    def time(self) -> float:
        """Return the wall-clock time in seconds since the epoch."""
        return self._now.timestamp()

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock only, as an operator or NTP does; ``seconds`` may be negative."""
        self._now += timedelta(seconds=seconds)
