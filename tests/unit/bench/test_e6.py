"""A kind is as good as its rate against the bare loops around it."""

from __future__ import annotations

from bench.e6 import Side


def test_ratios_are_against_the_mean_of_the_bare_runs_around() -> None:
    """A machine that slows down meanwhile slows both."""
    side = Side(relay=[80.0, 40.0], bare=[100.0, 100.0, 60.0], parts=1)

    assert side.ratios == [0.8, 0.5]
    assert side.to_json()["ratio"] == {"min": 0.5, "median": 0.65, "max": 0.8, "runs": 2}
