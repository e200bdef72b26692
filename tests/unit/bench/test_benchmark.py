"""What redis-benchmark says is read as it writes it."""

from __future__ import annotations

import pytest

from bench.benchmark import per_second

SAID = '"test","rps","avg_latency_ms"\n"setrange c1:{p0}:bench 0 xxx","109051.23","2.1"\n'


@pytest.mark.parametrize(("said", "rate"), [(SAID, 109051.23), ("", None), ("nothing,here\n", None)])
def test_the_rate_is_found_or_is_none(said: str, rate: float | None) -> None:
    """An answer that cannot be read is no figure."""
    assert per_second(said) == rate
