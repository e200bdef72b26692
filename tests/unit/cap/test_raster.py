"""The raster gives the same answers as the polygon itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from relay.cap.raster import Raster


def star(edges: int, *, spikes: float, seed: int = 1) -> BaseGeometry:
    chance = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * math.pi, edges + 1)[:-1]
    radii = 1 + spikes * chance.uniform(-1, 1, edges)
    return shapely.Polygon(np.column_stack([75 + 5 * radii * np.cos(angles), 43 + 3 * radii * np.sin(angles)]))


def over(geometry: BaseGeometry) -> Raster:
    raster = Raster.over(geometry)
    assert raster is not None
    return raster


HOLE = shapely.Polygon([(0, 0), (9, 0), (9, 7), (0, 7)], [[(4.2, 3), (4.4, 3), (4.4, 3.1), (4.2, 3.1)]])
TWO = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 6, 8, 8)])
TINY = shapely.Polygon([(75, 43), (75.000_001, 43), (75, 43.000_001)])
SLIVER = shapely.Polygon([(0, 0), (90, 45), (90, 45.000_001)])


@pytest.mark.parametrize(
    "geometry",
    [star(3, spikes=0), star(50, spikes=0.05), star(20_000, spikes=0.001), star(30, spikes=0.9), HOLE, TWO, TINY],
    ids=["triangle", "round", "coast", "spiky", "hole", "two", "tiny"],
)
def test_same_answer_as_the_polygon(geometry: BaseGeometry) -> None:
    """Convex, jagged, holed, separate and tiny polygons: no place is inside the one and outside the other."""
    west, south, east, north = geometry.bounds
    chance = np.random.default_rng(2)
    lats, lons = chance.uniform(south, north, 100_000), chance.uniform(west, east, 100_000)

    mask = over(geometry).contains(lats, lons)

    assert 0 < mask.sum() < 100_000
    assert np.array_equal(mask, shapely.intersects_xy(geometry, lons, lats))


def test_few_places_are_compared_with_the_polygon() -> None:
    """Of a coast of 20,000 points only a few cells in a hundred are in doubt."""
    codes = over(star(20_000, spikes=0.001)).codes

    assert (codes == 2).mean() < 0.02


@pytest.mark.parametrize(
    "geometry", [SLIVER, shapely.box(70, 40, 80, 46), TWO, HOLE], ids=["sliver", "box", "two", "hole"]
)
def test_border_is_inside(geometry: BaseGeometry) -> None:
    """Corners, and places on edges along the parallels, are inside."""
    points = shapely.get_coordinates(geometry)
    middles = (points[1:] + points[:-1]) / 2
    lons, lats = np.concatenate([points, middles]).T

    mask = over(geometry).contains(lats, lons)

    assert np.array_equal(mask, shapely.intersects_xy(geometry, lons, lats))
    assert mask[: len(points)].all()


@settings(max_examples=60, deadline=None)
@given(corners=st.lists(st.tuples(st.integers(0, 16), st.integers(0, 16)), min_size=3, max_size=9))
def test_any_polygon_of_round_numbers(corners: list[tuple[int, int]]) -> None:
    """Polygons whose corners and edges lie on round numbers have the same inside and the same border."""
    polygon = shapely.make_valid(shapely.Polygon([*corners, corners[0]]), method="structure", keep_collapsed=False)
    if polygon.area == 0:
        return
    west, south, east, north = polygon.bounds
    lats, lons = (grid.ravel() for grid in np.mgrid[south : north + 0.1 : 0.25, west : east + 0.1 : 0.25])
    inside = (lats <= north) & (lons <= east)
    lats, lons = lats[inside], lons[inside]

    assert np.array_equal(over(polygon).contains(lats, lons), shapely.intersects_xy(polygon, lons, lats))


def test_border_that_runs_to_and_fro() -> None:
    """A comb of thousands of long teeth has no raster: nearly every cell would be in doubt."""
    teeth = np.arange(4000)
    comb = shapely.Polygon([*zip(teeth * 0.001, np.where(teeth % 2, 1.0, 0.001), strict=True), (4, -1), (0, -1)])

    assert comb.is_valid
    assert Raster.over(comb) is None
