"""Columns that grow, and tuples with numbers."""

from __future__ import annotations

import numpy as np

from relay.directory.columns import Columns, Interned


def test_growing_keeps_rows_and_adds_nobody() -> None:
    """Rows and names survive growth in both directions, and new rows are not alive."""
    columns = Columns.empty()
    columns.reserve(3, names=2)
    columns.alive[2], columns.lat[2], columns.names[2] = True, 43.5, (7, 8)

    columns.reserve(5_000, names=4)

    assert len(columns) == 5_000
    assert columns.names.shape == (5_000, 4)
    assert (columns.lat[2], columns.names[2].tolist()) == (43.5, [7, 8, 0, 0])
    assert np.flatnonzero(columns.alive).tolist() == [2]


def test_growing_is_rare() -> None:
    """One more row costs a copy only now and then."""
    columns = Columns.empty()
    sizes = set()
    for rows in range(1, 10_000):
        columns.reserve(rows, names=2)
        sizes.add(len(columns))

    assert len(sizes) <= 5


def test_more_names_alone_do_not_add_rows() -> None:
    """A recipient with many addresses widens the names and nothing else."""
    columns = Columns.empty()
    columns.reserve(10, names=2)
    rows = len(columns)

    columns.reserve(1, names=9)

    assert (len(columns), columns.names.shape) == (rows, (rows, 9))


def test_views_share_memory() -> None:
    """Looking at the first rows copies nothing."""
    columns = Columns.empty()
    columns.reserve(10, names=2)

    assert np.shares_memory(columns.first(3).lat, columns.lat)
    assert len(columns.first(3)) == 3


def test_tuples_keep_their_numbers() -> None:
    """A tuple has one number, the empty one 0, and numbers come back from a list of the tuples."""
    interned = Interned()
    numbers = [interned.number(value) for value in (("kk", "ru"), (), ("ru",), ("kk", "ru"))]

    assert numbers == [1, 0, 2, 1]
    assert Interned(interned.values).number(("ru",)) == 2


def test_tuples_that_hold_a_word() -> None:
    """All tuples with any of the words are found, and unknown words find none."""
    interned = Interned([(), ("a", "b"), ("b", "b"), ("c",)])

    assert interned.having(["b", "x"]).tolist() == [False, True, True, False]
    assert not interned.having(["x"]).any()
    assert not interned.having([]).any()
