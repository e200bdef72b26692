from __future__ import annotations

from relay.cap.model import Area, Circle, Pair


def test_geometry_is_anything_a_place_can_be_compared_with() -> None:
    """A polygon, a circle or a geocode makes an area usable."""
    assert not Area(area_desc="a").has_geometry
    assert Area(area_desc="a", circles=(Circle(43.0, 76.0, 5.0, "43,76 5"),)).has_geometry
    assert Area(area_desc="a", geocodes=(Pair("ISO3166-2", "KZ-75"),)).has_geometry
