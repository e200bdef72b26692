"""The grid gives the same answers as the polygon itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from relay.cap.grid import Grid, _Cell


def star(edges: int, *, spikes: float, seed: int = 1) -> BaseGeometry:
    chance = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * math.pi, edges + 1)[:-1]
    radii = 1 + spikes * chance.uniform(-1, 1, edges)
    return shapely.Polygon(np.column_stack([75 + 5 * radii * np.cos(angles), 43 + 3 * radii * np.sin(angles)]))


def places(geometry: BaseGeometry, count: int) -> tuple[np.ndarray, np.ndarray]:
    west, south, east, north = geometry.bounds
    chance = np.random.default_rng(2)
    return chance.uniform(south, north, count), chance.uniform(west, east, count)


HOLE = shapely.Polygon([(0, 0), (9, 0), (9, 7), (0, 7)], [[(4.2, 3), (4.4, 3), (4.4, 3.1), (4.2, 3.1)]])
TWO = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 6, 8, 8)])


@pytest.mark.parametrize(
    "geometry",
    [star(3, spikes=0), star(50, spikes=0.05), star(2_000, spikes=0.01), star(300, spikes=0.9), HOLE, TWO],
    ids=["triangle", "round", "coast", "spiky", "hole", "two"],
)
def test_same_answer_as_the_polygon(geometry: BaseGeometry) -> None:
    """Convex, jagged, holed and separate polygons: a place is inside the one exactly when it is inside the other."""
    lats, lons = places(geometry, 20_000)

    mask = Grid(geometry).contains(lats, lons)

    assert 0 < mask.sum() < 20_000
    assert np.array_equal(mask, shapely.intersects_xy(geometry, lons, lats))


def test_border_that_runs_along_the_grid() -> None:
    """Corners and edges that fall on the lines between cells are inside, from whichever side they are looked at."""
    diamond = shapely.Polygon([(0, 2), (2, 4), (4, 2), (2, 0)])
    lats, lons = np.array([2.0, 4, 2, 0, 3, 1, 2, 4, 0]), np.array([0.0, 2, 4, 2, 1, 3, 2, 4, 0])

    assert Grid(diamond).contains(lats, lons).tolist() == [True] * 7 + [False] * 2


def test_box_of_whole_degrees() -> None:
    """A box is all inside, its border and corners too."""
    lats, lons = np.array([40.0, 40, 46, 46, 43, 40]), np.array([70.0, 80, 70, 80, 75, 75])

    assert Grid(shapely.box(70, 40, 80, 46)).contains(lats, lons).all()


@settings(max_examples=30, deadline=None)
@given(
    corners=st.lists(st.tuples(st.integers(0, 16), st.integers(0, 16)), min_size=3, max_size=9),
)
def test_any_polygon_of_round_numbers(corners: list[tuple[int, int]]) -> None:
    """Polygons whose corners and edges lie on the grid's own lines have the same inside and the same border."""
    polygon = shapely.make_valid(shapely.Polygon([*corners, corners[0]]), method="structure", keep_collapsed=False)
    if polygon.area == 0:
        return
    west, south, east, north = polygon.bounds
    lats, lons = (grid.ravel() for grid in np.mgrid[south : north + 0.1 : 0.5, west : east + 0.1 : 0.5])

    mask = Grid(polygon).contains(lats, lons)

    # A place within rounding of the border may be inside here and outside there, but not the other way round.
    near = shapely.distance(polygon, shapely.points(lons, lats)) < 1e-8
    assert mask[shapely.intersects_xy(polygon, lons, lats)].all()
    assert not mask[~near].any()


def test_cut_that_loses_a_piece_is_made_again() -> None:
    """A border that runs through the corner of a cell once lost the cell's other places."""
    piece = shapely.Polygon([(3, 9.5), (3, 11), (4.5, 11), (4.5, 10), (4, 10), (4.5, 9.5)])
    grid = Grid(piece)
    # The quarters meet at (4.25, 9.75), on the slanting border; GEOS 3.14 keeps 2 % of the one above on the left.
    grid._west, grid._south, grid._width, grid._height = 3.0, 8.5, 2.5, 2.5

    pieces = grid._cut(_Cell(0, 0, piece), 1, tolerance=1e-9)

    assert [quarter.geometry.area for quarter in pieces] == pytest.approx([0.3125, 0.03125, 1.53125, 0.25])
