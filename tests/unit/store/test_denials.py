"""How denied address slots are asked for."""

from relay.store.denials import masks, question
from relay.store.keys import DIR_DENY


def test_neighbours_are_read_as_one_range() -> None:
    """Who is beyond the end of the bitmap has denied nothing."""
    asked = question([3, 5, 9])

    assert asked == ("GETRANGE", DIR_DENY, 3, 9)
    assert masks(asked, b"\x01\x00\x04", [3, 5, 9]) == [1, 4, 0]


def test_who_is_far_apart_is_asked_one_by_one() -> None:
    """Two people at the ends of a nation do not cost the bytes between them."""
    asked = question([3, 9_000_000])

    assert asked == ("BITFIELD_RO", DIR_DENY, "GET", "u8", "#3", "GET", "u8", "#9000000")
    assert masks(asked, [0, 255], [3, 9_000_000]) == [0, 255]
