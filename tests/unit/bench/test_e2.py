"""What an alert added to Redis is judged by the worse of two accounts."""

from __future__ import annotations

from bench.e2 import Cost, grown


def test_directory_is_left_out_and_what_did_not_grow_is_not_named() -> None:
    """Only what deliveries cost is counted, also for keys that were not there before."""
    before = {"directory": 10, "legs": 100, "other": 5}
    after = {"directory": 99, "legs": 300, "other": 5, "records": 2400}

    assert grown(before, after, 100) == {"legs": 2.0, "records": 24.0}


def test_worse_account_counts() -> None:
    """Memory that clients give back meanwhile must not make deliveries look cheap, nor keys hide what else was taken."""
    assert Cost(20.0, {"records": 24.0, "segments": 2.0}).worse == 26.0
    assert Cost(40.0, {"records": 24.0}).worse == 40.0
