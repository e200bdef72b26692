"""Every figure of design §17 is measured."""

from __future__ import annotations

import pytest

from bench.catalogue import FIGURES
from bench.sizes import QUICK, Sizes

NAMES = ("E1", "E1s", "E2", "E3", "E4", "E4m", *(f"E{number}" for number in range(5, 14)))


def test_all_figures_are_there() -> None:
    """In the design's order; together they are given up before the bench's own bound is far passed."""
    assert tuple(FIGURES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_what_it_is(name: str) -> None:
    """A target with a unit, a sentence, and a bound on its time."""
    entry = FIGURES[name]

    assert entry.what
    assert entry.target.unit
    assert 0 < entry.longest <= 600


def test_full_size_is_the_designs() -> None:
    """A million recipients, ten thousand small alerts; quick sizes are smaller everywhere."""
    full = Sizes()

    assert (full.million, full.small, full.places) == (1_000_000, 10_000, 1_000_000)
    assert all(getattr(QUICK, name) < getattr(full, name) for name in Sizes.__slots__)
