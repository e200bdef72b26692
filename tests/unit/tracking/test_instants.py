"""Times of the API."""

from __future__ import annotations

from relay.testing.clocks import START
from relay.tracking.instants import utc, utc_or_none


def test_times_are_rfc_3339_in_utc() -> None:
    """Times have milliseconds and a Z."""
    assert utc(START.timestamp() * 1000 + 5) == "2026-03-01T06:00:00.005Z"


def test_not_yet() -> None:
    """Zero means that it has not happened."""
    assert utc_or_none(0) is None
    assert utc_or_none(1) == "1970-01-01T00:00:00.001Z"
