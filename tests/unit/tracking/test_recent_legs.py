"""A leg is read once for all who ask within a moment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from relay.adapter import Class
from relay.store.cursor import Cursor
from relay.store.legs import Leg
from relay.tracking.recent_legs import RecentLegs


@dataclass
class Legs:
    """Legs that exist, and how often each was read."""

    there: set[str]
    reads: list[str] = field(default_factory=list)

    async def get(self, leg_id: str) -> Leg | None:
        self.reads.append(leg_id)
        if leg_id not in self.there:
            return None
        return Leg(leg_id, {"kind": "sms"}, Cursor(klass=Class.P1, expires=2.0, start=1.0, sizes=(1,)), {})


async def test_leg_is_read_once_in_a_moment() -> None:
    """Thousands of receipts for one alert read its leg once."""
    legs = Legs({"one"})
    recent = RecentLegs(legs, kept=60)
    found = [await recent.get("one") for _ in range(100)]

    assert legs.reads == ["one"]
    assert all(leg is found[0] for leg in found)


async def test_moment_passes() -> None:
    """A leg that was cancelled is seen so within the moment."""
    legs = Legs({"one"})
    recent = RecentLegs(legs, kept=0.0)
    await recent.get("one")
    await asyncio.sleep(0)
    await recent.get("one")

    assert legs.reads == ["one", "one"]


async def test_nothing_outlives_a_loss() -> None:
    """Another server answers: what it has is asked of it at once."""
    legs = Legs({"one"})
    recent = RecentLegs(legs, kept=60)
    await recent.get("one")
    legs.there.clear()
    recent.forget()

    assert await recent.get("one") is None


async def test_what_is_not_there_is_looked_for_again() -> None:
    """A receipt may overtake its leg: what was not there is not remembered."""
    legs = Legs(set())
    recent = RecentLegs(legs, kept=60)
    missing = await recent.get("one")
    legs.there.add("one")

    assert missing is None
    assert await recent.get("one") is not None


async def test_oldest_go_first() -> None:
    """No more than so many legs are remembered."""
    legs = Legs({"one", "two", "three"})
    recent = RecentLegs(legs, kept=60, most=2)
    for leg_id in ("one", "two", "three", "three", "two", "one"):
        await recent.get(leg_id)

    assert legs.reads == ["one", "two", "three", "one"]
