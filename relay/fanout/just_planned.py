"""Just planned: what this worker's planner knows of small legs, until this worker's lanes send them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from relay.fanout.segment import Segment

if TYPE_CHECKING:
    from relay.fanout.contents import LegFacts

#: So many legs may wait; a planner that is further ahead of its lanes does nothing but fill memory.
MOST = 1000
#: What waited for so many milliseconds is another worker's by now.
LONGEST = 5000

Leg = tuple["LegFacts", Sequence[Segment]]


class JustPlanned:
    """Legs by id, the oldest first."""

    def __init__(self) -> None:
        self._legs: OrderedDict[str, Leg] = OrderedDict()

    def add(self, facts: LegFacts, segments: Sequence[Segment]) -> None:
        """Keep a leg, if there is room."""
        if len(self._legs) < MOST:
            self._legs[facts.leg_id] = (facts, segments)

    def take(self, leg_id: str) -> Leg | None:
        """Return what is known of a leg, once."""
        return self._legs.pop(leg_id, None)

    def is_full(self, now_ms: float) -> bool:
        """Whether the lanes have enough to do; what others have sent meanwhile is forgotten."""
        while self._legs and next(iter(self._legs.values()))[0].start_ms < now_ms - LONGEST:
            self._legs.popitem(last=False)
        return len(self._legs) >= MOST

    def clear(self) -> None:
        """Forget everything."""
        self._legs.clear()
