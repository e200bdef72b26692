"""The disk by itself is measured beside E7."""

from __future__ import annotations

from bench.e7 import fdatasync_ms


def test_a_sync_takes_some_time() -> None:
    """It is the middle of some, in milliseconds."""
    assert 0 < fdatasync_ms(5) < 5_000
