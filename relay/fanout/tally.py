"""The tally of a channel: how much it handed over lately, and what went wrong last."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What became of a channel's hand-overs; ``recent`` holds (monotonic second, count)."""

    recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=60))
    total: int = 0
    error: str = ""
    error_at: float = 0.0

    def add(self, n: int, *, second: int) -> None:
        """Count ``n`` hand-overs."""
        self.total += n
        if self.recent and self.recent[-1][0] == second:
            self.recent[-1] = (second, self.recent[-1][1] + n)
        else:
            self.recent.append((second, n))

    def per_second(self, *, second: int) -> float:
        """Return the mean of the last ten seconds."""
        return sum(n for at, n in self.recent if second - 10 < at <= second) / 10
