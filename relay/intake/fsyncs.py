"""How long fsync takes: the last one, and quantiles over the last thousand."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FsyncStats:
    """Seconds; zero while nothing was synced."""

    last: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    count: int = 0


class Fsyncs:
    """A window of durations.  One thread adds, any thread asks."""

    def __init__(self, window: int = 1000) -> None:
        self._window: deque[float] = deque(maxlen=window)
        self._count = 0

    def add(self, seconds: float) -> None:
        """Remember one duration."""
        self._window.append(seconds)
        self._count += 1

    def stats(self) -> FsyncStats:
        """Return the last duration and the quantiles of the window; ``count`` is of all time."""
        window = self._window.copy()
        if not window:
            return FsyncStats()
        ranked = sorted(window)
        return FsyncStats(
            last=window[-1],
            p50=ranked[(len(ranked) - 1) // 2],
            p99=ranked[(len(ranked) - 1) * 99 // 100],
            count=self._count,
        )
