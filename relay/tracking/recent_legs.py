"""Legs as they were a moment ago: what thousands of receipts and answers to one alert need not each read again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Protocol

from relay.store.legs import Leg

#: Seconds for which a leg is taken as it was.  Only its flags and counts change; its places and times never do.
KEPT = 0.5
MOST = 2_000


class FindsLegs(Protocol):
    """Whoever can find a leg by its id."""

    async def get(self, leg_id: str) -> Leg | None:
        """Return one leg, or None."""
        ...


class RecentLegs:
    """Finds legs, and remembers each for a moment; one that is not there is looked for every time."""

    def __init__(self, legs: FindsLegs, *, kept: float = KEPT, most: int = MOST) -> None:
        self._legs = legs
        self._kept = kept
        self._most = most
        self._known: OrderedDict[str, tuple[float, Leg]] = OrderedDict()

    def forget(self) -> None:
        """Forget every leg: another server answers, or the store was emptied."""
        self._known.clear()

    async def get(self, leg_id: str) -> Leg | None:
        """Return one leg, or None.

        Raises:
            StoreUnavailable: Redis is away.
        """
        loop = asyncio.get_running_loop()
        since, known = self._known.get(leg_id, (0.0, None))
        if known is not None and loop.time() - since < self._kept:
            return known
        asked = loop.time()
        leg = await self._legs.get(leg_id)
        self._known.pop(leg_id, None)
        if leg is not None:
            self._known[leg_id] = asked, leg
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return leg
