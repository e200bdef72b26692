"""A grid over a polygon whose border runs to and fro so much that a raster (``relay.cap.raster``) does not help.

Most cells lie wholly inside or outside, and their places need no further look.  The others keep the part of the polygon
that is in them, which is small: a place is never compared with more than a few dozen edges, however the ring runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

_COARSE: Final = 7  # halvings of the box that are always worth it: 128 × 128 cells
_FINE: Final = 9  # and at most: 512 × 512, where many edges remain in a cell
_FEW_EDGES: Final = 24
_SKEW: Final = 0.000_317_31  # of the box: agencies write round numbers, and the grid's lines must not run along borders
_MARGIN: Final = 0.000_871_73
_EXACT: Final = 1e-9  # of a cell's area
_BORDER: Final = 1e-9  # degrees, a tenth of a millimetre
_OUTSIDE: Final = 0
_INSIDE: Final = 1
_PARTS: Final = 2  # codes from here on are numbers of parts

_QUARTERS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class _Cell(NamedTuple):
    """A cell by its place in the grid of its level, and what of the polygon is in it."""

    row: int
    column: int
    geometry: BaseGeometry


class Grid:
    """A valid polygon or multipolygon in (longitude, latitude), cut into cells once."""

    def __init__(self, geometry: BaseGeometry) -> None:
        west, south, east, north = geometry.bounds
        self._west, self._width = west - _SKEW * (east - west), (1 + _MARGIN) * (east - west)
        self._south, self._height = south - _SKEW * (north - south), (1 + _MARGIN) * (north - south)
        self._codes = np.zeros((1, 1), np.int32)
        parts: list[BaseGeometry] = []
        level = [_Cell(0, 0, geometry)]
        for depth in range(1, _FINE + 1):
            if not level:
                break
            self._codes = self._codes.repeat(2, axis=0).repeat(2, axis=1)
            level = [child for cell in level for child in self._quarter(cell, depth, parts)]
        self._parts = np.array(parts, dtype=object)
        shapely.prepare(self._parts)

    def contains(self, lats: Floats, lons: Floats) -> Mask:
        """Return which places lie inside or on the border; all of them lie in the polygon's bounding box."""
        cells = len(self._codes)
        rows = ((lats - self._south) * (cells / self._height)).astype(np.int32)
        columns = ((lons - self._west) * (cells / self._width)).astype(np.int32)
        codes = self._codes.ravel()[rows * cells + columns]
        mask: Mask = codes == _INSIDE
        doubt = np.flatnonzero(codes >= _PARTS)
        mask[doubt] = self._compare(codes[doubt] - _PARTS, lats[doubt], lons[doubt])
        return mask

    def _compare(self, numbers: NDArray[np.int32], lats: Floats, lons: Floats) -> Mask:
        parts = self._parts[numbers]
        mask: Mask = shapely.intersects_xy(parts, lons, lats)
        # Cutting rounds the new corners, so a slanting border is not quite where it was.
        rest = np.flatnonzero(~mask)
        mask[rest] = shapely.dwithin(parts[rest], shapely.points(lons[rest], lats[rest]), _BORDER)
        return mask

    def _quarter(self, cell: _Cell, depth: int, parts: list[BaseGeometry]) -> Iterator[_Cell]:
        """Settle the four quarters of a cell; yield those that are to be quartered again."""
        area = self._width * self._height / 4**depth
        for quarter in self._cut(cell, depth, tolerance=_EXACT * area):
            edges = shapely.get_num_coordinates(quarter.geometry)
            code = _OUTSIDE
            if edges == 5 and quarter.geometry.area >= (1 - _EXACT) * area:
                code = _INSIDE
            elif edges and (depth < _COARSE or (depth < _FINE and edges > _FEW_EDGES)):
                yield quarter
            elif edges:
                code = _PARTS + len(parts)
                parts.append(quarter.geometry)
            self._codes[quarter.row, quarter.column] = code

    def _cut(self, cell: _Cell, depth: int, *, tolerance: float) -> list[_Cell]:
        """Return the quarters of a cell.

        The quick cut sometimes loses a piece (a border through a corner of the rectangle): the areas tell, and the
        slow one is exact.
        """
        places = [(2 * cell.row + y, 2 * cell.column + x) for y, x in _QUARTERS]
        boxes = [self._box(row, column, depth) for row, column in places]
        pieces = [shapely.clip_by_rect(cell.geometry, *box) for box in boxes]
        if abs(sum(piece.area for piece in pieces) - cell.geometry.area) > tolerance:
            pieces = [shapely.intersection(cell.geometry, shapely.box(*box)) for box in boxes]
        return [_Cell(row, column, piece) for (row, column), piece in zip(places, pieces, strict=True)]

    def _box(self, row: int, column: int, depth: int) -> tuple[float, float, float, float]:
        wide, high = self._width / 2**depth, self._height / 2**depth
        return (
            self._west + column * wide,
            self._south + row * high,
            self._west + (column + 1) * wide,
            self._south + (row + 1) * high,
        )
