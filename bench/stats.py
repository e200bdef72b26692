"""Percentiles, medians and spread of small samples."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least ``percent`` per cent of ``values`` do not exceed (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the middle value, the mean of the two middle ones when they are even in number.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the least, the middle and the greatest of the values, and how many there are.

    Raises:
        ValueError: there are no values.
    """
    return {"min": min(values), "median": median(values), "max": max(values), "runs": len(values)}


def ms(seconds: Sequence[float], percent: float) -> float:
    """Return a percentile of seconds in milliseconds, to a hundredth."""
    return round(percentile(seconds, percent) * 1000, 2)
