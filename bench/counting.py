"""How many came in, and when the first and the last did."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Count:
    """Arrivals since the last reset, in monotonic seconds."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0

    def reset(self) -> None:
        """Begin anew."""
        self.count, self.first, self.last = 0, 0.0, 0.0

    def add(self) -> None:
        """Count one that came now."""
        self.count += 1
        self.last = time.perf_counter()
        self.first = self.first or self.last

    def to_json(self) -> dict[str, float]:
        """Return the figures; ``per_second`` is between the first and the last."""
        took = self.last - self.first
        return {"count": self.count, "seconds": took, "per_second": (self.count - 1) / took if took > 0 else 0.0}
