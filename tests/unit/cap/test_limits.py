from __future__ import annotations

from relay.cap.limits import Limits


def test_defaults_are_the_designs() -> None:
    """Design §6: 200,000 vertices and 1,000 polygons."""
    assert (Limits().max_vertices, Limits().max_polygons) == (200_000, 1_000)
