"""How long fsync takes."""

from __future__ import annotations

from relay.intake.fsyncs import Fsyncs, FsyncStats


def test_nothing_synced_yet() -> None:
    """Before the first fsync every figure is zero."""
    assert Fsyncs().stats() == FsyncStats(last=0.0, p50=0.0, p99=0.0, count=0)


def test_quantiles_over_the_window() -> None:
    """The quantiles are those of the window; what fell out of it counts no more, except in the count."""
    fsyncs = Fsyncs(window=100)
    fsyncs.add(50.0)
    for n in range(100, 0, -1):
        fsyncs.add(n / 1000)

    assert fsyncs.stats() == FsyncStats(last=0.001, p50=0.05, p99=0.099, count=101)
