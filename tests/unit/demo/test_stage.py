"""How a scene waits, and what it makes of counts."""

from __future__ import annotations

from relay.demo.stage import Stage, Verdict, count_line, open_deliveries
from relay.testing.clocks import FakeClock


def test_a_verdict_keeps_what_was_broken() -> None:
    """A scene is as promised while nothing broken was noted."""
    verdict = Verdict("says")
    verdict.promise(1, "never said")

    assert verdict.kept
    verdict.promise(0, "said")
    assert verdict.broken == ["said"]


async def test_waiting_ends_when_it_is_reached(stage: Stage) -> None:
    """What is there already is not waited for."""
    assert await stage.until(lambda: True, within=0, says=str)


async def test_waiting_has_a_bound(stage: Stage) -> None:
    """What never comes ends the wait, by the clock."""
    clock = stage.clock
    assert isinstance(clock, FakeClock)

    def never() -> bool:
        clock.advance(1)
        return False

    assert not await stage.until(never, within=3, says=str)


def test_open_deliveries() -> None:
    """Only terminal states count as ended; an alert that is not planned yet is open."""
    assert open_deliveries({"state": "active", "counts": {"accepted": 2, "delivered": 5}}) == 2
    assert open_deliveries({"state": "active", "counts": {"delivered": 5}}) == 0
    assert open_deliveries({"state": "accepted", "counts": {}}) == 1
    assert open_deliveries({"state": "completed", "counts": {}}) == 0


def test_count_line() -> None:
    """Counts come in a fixed order under names for people; a state that has none is not hidden."""
    names = {"acknowledged": "acknowledged", "delivered_unconfirmed": "unconfirmed"}

    assert count_line({"dead_letter": 1, "delivered_unconfirmed": 2000, "acknowledged": 1}, names=names) == (
        "1 acknowledged · 2,000 unconfirmed · 1 dead_letter"
    )
