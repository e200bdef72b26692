"""A class is as good as the 99th percentile of its waits against its own target."""

from __future__ import annotations

from bench.e4m import BOUNDS, GRADES, Waits


def test_each_class_is_held_against_its_own_target() -> None:
    """Half a second is half of what a flash may take, and next to nothing for low news."""
    seconds = [0.1] * 50 + [0.5]

    assert Waits("P0", "slow", seconds).ratio == 0.5
    assert Waits("P4", "slow", seconds).ratio == 0.5 / 300
    assert Waits("P0", "slow", seconds).to_json() == [100, 500, 500]


def test_every_class_is_posted() -> None:
    """Those of design §8; only drills have no target."""
    assert set(GRADES) - set(BOUNDS) == {"PX"}
    assert list(BOUNDS.values()) == sorted(BOUNDS.values())
