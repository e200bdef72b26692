"""A leg's cursor survives storage."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Class
from relay.store.cursor import AGAIN, CANCELLED, EXPIRED, SUPERSEDED, Cursor

word = st.integers(0, 2**32 - 1)
cursors = st.builds(
    Cursor,
    klass=st.sampled_from(Class),
    flags=st.integers(0, 15),
    segment=word,
    position=word,
    leased=word,
    expires=st.floats(0, 1e14),
    start=st.floats(0, 1e14),
    sizes=st.lists(st.integers(1, 4000), max_size=300).map(tuple),
    people=st.integers(0, 255),
)


@given(cursors)
def test_round_trip(cursor: Cursor) -> None:
    """A cursor reads back as it was packed."""
    assert Cursor.unpack(cursor.pack()) == cursor


def test_layout_is_that_of_the_script() -> None:
    """``lua/cursor.lua`` reads 40 bytes and then two for each segment."""
    cursor = Cursor(
        klass=Class.P4, flags=3, segment=1, position=7, leased=2, expires=9.5, start=8.5, sizes=(4000, 12), people=5
    )
    packed = cursor.pack()

    assert packed[:4] == bytes([1, 4, 3, 5])
    assert struct.unpack("<5I2d", packed[4:40]) == (4012, 2, 1, 7, 2, 9.5, 8.5)
    assert packed[40:] == struct.pack("<2H", 4000, 12)


@pytest.mark.parametrize(
    ("flags", "stopped"),
    [(0, False), (AGAIN, False), (CANCELLED, True), (SUPERSEDED, True), (EXPIRED, True), (15, True)],
)
def test_stopped(flags: int, stopped: bool) -> None:
    """Cancelled, superseded and expired stop a leg; having been planned again does not."""
    assert Cursor(klass=Class.P1, flags=flags, expires=1, start=0, sizes=(1,)).stopped is stopped


def test_exhausted() -> None:
    """A leg is exhausted when its last segment was claimed."""
    found = [Cursor(klass=Class.P1, segment=n, expires=1, start=0, sizes=(5, 5)).exhausted for n in range(3)]

    assert found == [False, False, True]


def test_other_version_is_refused() -> None:
    """A cursor of a later version is an error, not another audience."""
    packed = Cursor(klass=Class.P1, expires=1, start=0, sizes=(1,)).pack()

    with pytest.raises(ValueError, match="version 2"):
        Cursor.unpack(b"\x02" + packed[1:])


@pytest.mark.parametrize(
    ("start", "people", "sizes", "same"),
    [
        (1.0, 0, (5,), True),  # the very same plan
        (2.0, 7, (5,), True),
        (2.0, 8, (5,), False),
        (2.0, 7, (6,), False),
        (2.0, 0, (5,), False),  # an earlier version knew nothing of it
    ],
)
def test_same_people(start: float, people: int, sizes: tuple[int, ...], same: bool) -> None:
    """A leg that was planned again has the same people when size and digest are the same."""
    first = Cursor(klass=Class.P1, expires=9, start=1.0, sizes=(5,), people=people and 7)
    again = Cursor(klass=Class.P1, expires=9, start=start, sizes=sizes, people=people)

    assert again.same_people(first) is same
