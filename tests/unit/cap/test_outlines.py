"""Outlines are the same when the same text was read as the same points."""

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
    assert Outlines([Polygon(points=POINTS, text=TEXT)]) != Outlines([Polygon(points=SWAPPED, text=TEXT)])


def test_without_a_text_the_points_tell() -> None:
    """Areas that were given as JSON have points only."""
    one, other = (
        Outlines([Polygon(points=points, text="")]) for points in (POINTS, (*POINTS[:2], (44.0, 79.0), POINTS[0]))
    )

    assert one != other


def test_a_coast_is_not_remembered() -> None:
    """Many points are many bytes."""
    assert not Outlines([Polygon(points=POINTS * 1000, text=TEXT)]).short
