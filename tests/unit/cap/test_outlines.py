"""Outlines are the same when their points are."""

from relay.cap.model import Polygon
from relay.cap.outlines import Outlines

TEXT = "43,77 44,77 44,78 43,77"
POINTS = ((43.0, 77.0), (44.0, 77.0), (44.0, 78.0), (43.0, 77.0))
SWAPPED = tuple((lon, lat) for lat, lon in POINTS)


def test_same_district_again() -> None:
    """The next alert for the same district finds what is remembered."""
    first, second = (Outlines([Polygon(points=POINTS, text=TEXT)]) for _ in range(2))

    assert (first == second, hash(first) == hash(second), first.short) == (True, True, True)


def test_a_text_that_is_read_otherwise_is_another_district() -> None:
    """Where a rule swaps latitude and longitude the shape is another, though the text is the same."""
    last = (*POINTS[:2], (44.0, 79.0), POINTS[0])

    assert Outlines([Polygon(points=POINTS, text=TEXT)]) != Outlines([Polygon(points=last, text=TEXT)])
    assert Outlines([Polygon(points=POINTS, text=TEXT)]) != Outlines([Polygon(points=SWAPPED, text=TEXT)])


def test_a_coast_is_not_remembered() -> None:
    """Many points are many bytes."""
    assert not Outlines([Polygon(points=POINTS * 1000, text=TEXT)]).short
