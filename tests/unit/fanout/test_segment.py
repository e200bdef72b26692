"""Segments: who a leg is for, packed small and read back exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.fanout.segment import SEGMENT, Segment, segments

pairs = st.sets(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 7)), max_size=300).map(sorted)


def made(deliveries: list[tuple[int, int]], variants: list[int], number: int = 0) -> Segment:
    ordinals = np.array([o for o, _ in deliveries], np.uint32)
    return Segment(ordinals, np.array([s for _, s in deliveries], np.uint8), np.array(variants, np.uint16), number)


@given(pairs, st.data())
@settings(max_examples=60)
def test_round_trip(deliveries: list[tuple[int, int]], data: st.DataObject) -> None:
    """Ordinals, slots and variants read back as they were packed."""
    count = len(deliveries)
    variants = data.draw(st.lists(st.integers(0, 2**16 - 1), min_size=count, max_size=count))
    segment = made(deliveries, variants, 3)
    back = Segment.unpack(segment.pack(), number=3)

    assert back.ordinals.tolist() == segment.ordinals.tolist()
    assert back.slots.tolist() == segment.slots.tolist()
    assert back.variants.tolist() == variants
    assert (len(back), back.number) == (count, 3)


def test_dense_segment_is_small() -> None:
    """Neighbours cost little: 4,000 consecutive recipients take less than 200 bytes."""
    segment = made([(n + 1_000_000, 0) for n in range(SEGMENT)], [0] * SEGMENT)

    assert len(segment.pack()) < 200


def test_positions_find_a_delivery() -> None:
    """(ordinal, slot) gives the position; two slots of one recipient are two deliveries."""
    segment = made([(5, 0), (5, 2), (9, 0)], [0, 0, 1])

    assert segment.positions == {(5, 0): 0, (5, 2): 1, (9, 0): 2}


@pytest.mark.parametrize("count", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT])
def test_cutting(count: int) -> None:
    """All segments but the last are full, so that a rank is number × 4,000 + position; nobody is lost or doubled."""
    ordinals = np.arange(count, dtype=np.uint32) * 3
    cut = list(segments(ordinals, np.zeros(count, np.uint8), np.arange(count) % 7, first=2))  # type: ignore[arg-type]
    full = [len(s) for s in cut]

    assert full[:-1] == [SEGMENT] * (len(cut) - 1)
    assert [s.number for s in cut] == list(range(2, 2 + len(cut)))
    assert [o for s in cut for o in s.ordinals.tolist()] == ordinals.tolist()
    assert sum(full) == count
    assert 0 not in full


def test_other_version_is_refused() -> None:
    """A format of a later version is an error, not other people."""
    data = made([(1, 0)], [0]).pack()

    with pytest.raises(ValueError, match="version 9"):
        Segment.unpack(b"\x09" + data[1:], number=0)


def test_damage_is_noticed() -> None:
    """A count that does not fit the body is an error."""
    data = made([(1, 0), (2, 0)], [0, 0]).pack()

    with pytest.raises(ValueError, match="damaged"):
        Segment.unpack(data[:1] + b"\x05\x00" + data[3:], number=0)
