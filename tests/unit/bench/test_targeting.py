"""What E10 matches is an index as the relay builds it, and rings as agencies draw them."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import Polygon

from bench.targeting import POINTS, SEED, Box, alert_of, case, index_of, measure, ring
from relay.adapter import Kind
from relay.directory.targeting import match


@pytest.mark.parametrize("points", POINTS)
def test_rings_are_valid_and_have_their_points(points: int) -> None:
    """They never cross themselves, are no circles, and CAP keeps every corner."""
    corners = ring(points, seed=SEED)
    shape = Polygon(corners)
    (info,) = alert_of(corners).info

    assert shape.is_valid
    assert 0.3 < shape.area / shape.envelope.area < 0.75
    assert len(info.area[0].polygons[0].points) == points + 1


def test_people_stand_where_they_should() -> None:
    """All in the box, or one in ten, the others outside; each can be told by SMS."""
    corners = ring(50, seed=SEED)
    (south, west), (north, east) = corners.min(axis=0), corners.max(axis=0)
    counts = {}
    for inside in (1.0, 0.1):
        index = index_of(4_000, Box(south, north, west, east), inside=inside, seed=SEED)
        lat = index.columns.lat
        found = match(index, alert_of(corners), point_radius_km=10.0, drill=False)
        counts[inside] = (len(index), np.count_nonzero(lat <= north), len(found.pairs(Kind.SMS).ordinals))

    assert [int(count) for count in counts[1.0][:2]] == [4_000, 4_000]
    assert counts[0.1][0] == 4_000
    assert 300 < counts[0.1][1] < 500
    assert 0.3 < counts[1.0][2] / 4_000 < 0.75
    assert counts[0.1][2] < counts[0.1][1]


def test_every_case_is_measured_as_often_as_asked() -> None:
    """Two rings, all and a tenth in the box."""
    found = measure(500, 2)

    assert set(found) == {case(points, part) for points in POINTS for part in (1.0, 0.1)}
    assert {len(runs) for runs in found.values()} == {2}
