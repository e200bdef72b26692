"""Quotas: a minute's worth may come at once, then at the pace of the minute."""

from __future__ import annotations

import pytest

from relay.intake.quota import Quota
from relay.testing.clocks import FakeClock


def test_a_minutes_worth_at_once_then_wait() -> None:
    """The first six pass, the seventh is told to wait, and passes after exactly that time."""
    clock = FakeClock()
    quota = Quota(per_minute=6, clock=clock)

    assert [quota.take("k") for _ in range(6)] == [0.0] * 6
    assert quota.take("k") == pytest.approx(10)
    clock.advance(4)
    assert quota.take("k") == pytest.approx(6)
    clock.advance(6)
    assert quota.take("k") == 0.0
    assert quota.take("k") == pytest.approx(10)


def test_keys_do_not_pay_for_each_other() -> None:
    """Each name has its own quota."""
    quota = Quota(per_minute=1, clock=FakeClock())

    assert quota.take("a") == 0.0
    assert quota.take("b") == 0.0
    assert quota.take("a") > 0


def test_a_quiet_minute_restores_no_more_than_a_minutes_worth() -> None:
    """Tokens do not pile up over a quiet night."""
    clock = FakeClock()
    quota = Quota(per_minute=2, clock=clock)
    quota.take("k")
    clock.advance(86_400)

    assert [quota.take("k") > 0 for _ in range(3)] == [False, False, True]


def test_a_flood_of_names_is_bounded() -> None:
    """The longest unused name is forgotten first."""
    quota = Quota(per_minute=1, clock=FakeClock(), remembered=2)
    for name in ("a", "b", "a", "c"):
        quota.take(name)

    assert quota.take("a") > 0
    assert quota.take("b") == 0.0
