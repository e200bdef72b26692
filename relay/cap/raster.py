"""A raster over a polygon: which cells its border runs through, and which of the others lie inside.

A million places are looked up in it; only those in cells of the border are compared with the polygon itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

_CELLS: Final = 1024  # on each side
_SKEW: Final = (
    0.000_317_31  # of the box: agencies write round numbers, and the raster's lines must not run along borders
)
_MARGIN: Final = 0.000_871_73
_ROUNDING: Final = 1e-6  # of a cell, a thousand times what the arithmetic here may be off
_LONGEST: Final = 64  # borders, in sides of the box; a longer one runs to and fro and is for ``relay.cap.grid``
_OUTSIDE: Final = 0
_INSIDE: Final = 1
_BORDER: Final = 2

Floats = NDArray[np.float64]
Cells = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Raster:
    """A prepared, valid polygon or multipolygon in (longitude, latitude), with its cells row by row from the south."""

    geometry: BaseGeometry
    codes: NDArray[np.uint8]
    west: float
    south: float
    wide: float
    high: float

    @classmethod
    def over(cls, geometry: BaseGeometry) -> Raster | None:
        """Return the raster of a polygon; None for one whose border runs to and fro so much that a grid is better."""
        west, south, east, north = geometry.bounds
        wide, high = (1 + _MARGIN) * (east - west) / _CELLS, (1 + _MARGIN) * (north - south) / _CELLS
        west, south = west - _SKEW * (east - west), south - _SKEW * (north - south)
        starts, ends = _edges(geometry)
        starts, ends = (starts - (west, south)) / (wide, high), (ends - (west, south)) / (wide, high)
        lengths = np.abs(ends - starts).max(axis=1)
        if lengths.sum() > _LONGEST * _CELLS:
            return None
        long = lengths > 1
        if long.any():
            pieces = _cut(starts[long], ends[long], np.ceil(lengths[long]).astype(np.intp))
            starts, ends = (
                np.concatenate([some[~long], cut]) for some, cut in zip((starts, ends), pieces, strict=True)
            )
        codes = _filled(starts, ends)
        _mark(codes, starts, ends)
        return cls(geometry, codes, west, south, wide, high)

    def contains(self, lats: Floats, lons: Floats) -> Mask:
        """Return which places lie inside or on the border; all of them lie in the polygon's bounding box."""
        places = ((lats - self.south) * (1 / self.high)).astype(np.int32)
        places *= _CELLS
        places += ((lons - self.west) * (1 / self.wide)).astype(np.int32)
        codes = self.codes.ravel()[places]
        mask: Mask = codes == _INSIDE
        doubt = np.flatnonzero(codes == _BORDER)
        mask[doubt] = shapely.intersects_xy(self.geometry, lons[doubt], lats[doubt])
        return mask


def _edges(geometry: BaseGeometry) -> tuple[Floats, Floats]:
    """Return the ends of all edges as (longitude, latitude); edges without length are left out."""
    points, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(geometry)), return_index=True)
    same = (ring[1:] == ring[:-1]) & (points[1:] != points[:-1]).any(axis=1)
    return points[:-1][same], points[1:][same]


def _cut(starts: Floats, ends: Floats, pieces: Cells) -> tuple[Floats, Floats]:
    """Return the edges cut into ``pieces`` each, so that none is longer than a cell."""
    edge = np.repeat(np.arange(len(pieces)), pieces)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    origin, step = starts[edge], ((ends - starts) / pieces[:, None])[edge]
    # The end of one piece and the start of the next are the same number, so that no line slips through between them.
    return origin + step * number[:, None], np.where(
        (number + 1 == pieces[edge])[:, None], ends[edge], origin + step * (number + 1)[:, None]
    )


def _filled(starts: Floats, ends: Floats) -> NDArray[np.uint8]:
    """Return for each cell whether its middle line is inside where it enters the cell: right where no border runs."""
    low, high = np.minimum(starts[:, 1], ends[:, 1]), np.maximum(starts[:, 1], ends[:, 1])
    row = np.ceil(low - 0.5).astype(np.intp)  # the only row whose middle a piece of at most one cell can cross
    crossing = np.flatnonzero(row + 0.5 < high)
    row, start, end = row[crossing], starts[crossing], ends[crossing]
    share = (row + 0.5 - start[:, 1]) / (end[:, 1] - start[:, 1])
    column = (start[:, 0] + share * (end[:, 0] - start[:, 0])).astype(np.intp)
    turns = np.bincount(row * _CELLS + column, minlength=_CELLS * _CELLS).astype(np.uint8).reshape(_CELLS, _CELLS)
    inside = np.zeros((_CELLS, _CELLS), np.uint8)
    np.cumsum(turns[:, :-1], axis=1, out=inside[:, 1:])
    inside &= 1
    return inside


def _mark(codes: NDArray[np.uint8], starts: Floats, ends: Floats) -> None:
    """Mark the cells that a piece runs through: it is no longer than a cell, so they are among the four at its ends."""
    least, most = np.minimum(starts, ends) - _ROUNDING, np.maximum(starts, ends) + _ROUNDING
    west, south = least.astype(np.intp).T
    east, north = most.astype(np.intp).T
    flat = codes.ravel()
    for row in (south, north):
        for column in (west, east):
            flat[row * _CELLS + column] = _BORDER
