"""Rates are between the first and the last arrival."""

from __future__ import annotations

from bench.counting import Count


def test_a_rate_needs_two_arrivals() -> None:
    """One arrival has no rate, and a reset forgets all."""
    count = Count()
    count.add()
    one = count.to_json()
    count.add()
    two = count.to_json()
    count.reset()

    assert (one["count"], one["per_second"]) == (1, 0.0)
    assert two["per_second"] == 1 / two["seconds"]
    assert count.to_json() == {"count": 0, "seconds": 0.0, "per_second": 0.0}
