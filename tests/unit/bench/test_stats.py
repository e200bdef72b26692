"""Percentiles of small samples are values that were really seen."""

from __future__ import annotations

import pytest

from bench.stats import median, ms, percentile, spread


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 10), (95, 19), (99, 20), (100, 20)])
def test_percentile_is_a_value_that_was_seen(percent: float, value: float) -> None:
    """Nearest rank: of 20 samples p99 is the worst."""
    assert percentile(list(range(20, 0, -1)), percent) == value


def test_percentile_of_one_is_that_one() -> None:
    """A single sample is all percentiles."""
    assert [percentile([7.0], p) for p in (1, 50, 99)] == [7.0] * 3


@pytest.mark.parametrize(("values", "middle"), [([3, 1, 2], 2), ([4, 1, 2, 3], 2.5), ([5], 5)])
def test_median_is_the_middle(values: list[float], middle: float) -> None:
    """The order of the samples does not matter."""
    assert median(values) == middle


def test_nothing_has_no_middle() -> None:
    """No samples is an error, not a zero."""
    with pytest.raises(ValueError, match="no values"):
        median([])
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_spread_shows_how_far_runs_lie_apart() -> None:
    """Least, middle and greatest, and how many runs there were."""
    assert spread([3.0, 1.0, 8.0]) == {"min": 1.0, "median": 3.0, "max": 8.0, "runs": 3}


def test_milliseconds_are_short() -> None:
    """Of seconds, to a hundredth."""
    assert ms([0.001, 0.0123456], 99) == 12.35
