"""How hand-overs are cut into batches."""

from __future__ import annotations

from typing import cast

from relay.fanout.flight import Part, _batches
from relay.fanout.prepare import Group
from relay.fanout.settling import Job


def a_part(*positions: int, raced: bool = False) -> Part:
    return Part(cast("Job", None), cast("Group", None), positions, raced)


def test_small_chunks_share_a_batch() -> None:
    """What fits into one batch goes in one, in order."""
    flights = list(_batches([a_part(0, 1), a_part(7), a_part(2, 3)], 5))

    assert [[list(part.positions) for part in flight] for flight in flights] == [[[0, 1], [7], [2, 3]]]


def test_a_chunk_larger_than_a_batch_is_cut() -> None:
    """Nobody is left out, nobody is in two batches, and none is larger than its channel takes."""
    flights = list(_batches([a_part(*range(7)), a_part(7, 8, raced=True)], 3))

    assert [[p for part in flight for p in part.positions] for flight in flights] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert [part.raced for flight in flights for part in flight] == [False, False, False, True]


def test_nothing_is_no_batch() -> None:
    """A channel is not bothered with an empty batch."""
    assert list(_batches([], 5)) == []
