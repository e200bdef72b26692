"""The plan of faults: repeats by its seed, leaves the beginning and the end calm, never piles up."""

from __future__ import annotations

import pytest

from tests.chaos.faults import KINDS, plan


@pytest.mark.parametrize("topology", KINDS)
def test_a_plan_repeats_and_has_bounds(topology: str) -> None:
    """The same seed gives the same faults; at most two are there at a time, each on another target."""
    for seed in range(200):
        planned = plan(seed, KINDS[topology], seconds=25.0)
        again = plan(seed, KINDS[topology], seconds=25.0)

        assert planned == again
        assert planned
        for one in planned:
            together = [p for p in planned if p is not one and p.at <= one.at < p.at + p.hold]
            assert 2.0 <= one.at <= 23.0
            assert len(together) < 2
            assert one.kind.target not in {p.kind.target for p in together}


def test_every_fault_is_drawn_by_some_seed() -> None:
    """Nothing in the catalogue is dead."""
    for kinds in KINDS.values():
        drawn = {(p.kind.target, p.kind.name) for seed in range(600) for p in plan(seed, kinds, seconds=25.0)}

        assert drawn == {(kind.target, kind.name) for kind in kinds}
