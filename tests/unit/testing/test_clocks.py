"""The clock of the tests."""

from __future__ import annotations

from datetime import timedelta

from relay.clock import Clock
from relay.testing.clocks import START, FakeClock


def test_stands_still_until_moved() -> None:
    """Time passes only when a test says so, on both scales."""
    clock: Clock = (fake := FakeClock())
    before = clock.monotonic()
    fake.advance(1.5)

    assert clock.now() == START + timedelta(seconds=1.5)
    assert clock.time() == START.timestamp() + 1.5
    assert clock.monotonic() == before + 1.5


def test_wall_clock_can_jump_alone() -> None:
    """A corrected wall clock does not move the monotonic one."""
    clock = FakeClock()
    before = clock.monotonic()
    clock.jump(-3600)

    assert clock.now() == START - timedelta(hours=1)
    assert clock.monotonic() == before
