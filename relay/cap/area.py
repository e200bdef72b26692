"""Where an alert applies: CAP areas as shapes that a million places can be compared with.

Touching a border counts as inside, a doubtful ring keeps all it encloses: doubt is decided towards the warning, but
never beyond what the agency drew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from relay.cap.grid import Grid
from relay.cap.model import Area, Circle, Polygon
from relay.cap.outlines import Outlines
from relay.cap.raster import Raster

EARTH_KM: Final = 6371.0088  # IUGG mean radius
_KM_PER_DEGREE: Final = math.pi * EARTH_KM / 180
_SLACK_KM: Final = 1e-6  # a millimetre against rounding
_MANY_PLACES: Final = 30_000  # from here on a raster is worth its making
_MUCH_WORK: Final = 1_000_000_000  # places × edges, from which on a grid is worth its building where a raster is none
_POLAR: Final = 45.0  # degrees of latitude from which on a ring around the world is one around its pole
_MOST_MEETINGS: Final = 200_000  # of the boxes around two edges; about two seconds of untangling
_EDGES_AT_ONCE: Final = 64

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Piece:
    """Prepared polygons that do not cross the antimeridian; ``bounds`` are west, south, east, north in degrees."""

    geometry: BaseGeometry
    bounds: tuple[float, float, float, float]

    def contains(self, lats: Floats, lons: Floats) -> Mask:
        """Return which places lie inside or on the border."""
        west, south, east, north = self.bounds
        near = (lats >= south) & (lats <= north) & (lons >= west) & (lons <= east)
        return _where(near, lats, lons, self._within)

    def _within(self, lats: Floats, lons: Floats) -> Mask:
        raster = Raster.over(self.geometry) if len(lats) >= _MANY_PLACES else None
        if raster is not None:
            return raster.contains(lats, lons)
        if len(lats) * int(shapely.get_num_coordinates(self.geometry)) >= _MUCH_WORK:
            return Grid(self.geometry).contains(lats, lons)
        mask: Mask = shapely.intersects_xy(self.geometry, lons, lats)
        return mask


@dataclass(frozen=True, slots=True)
class Disc:
    """All places within ``radius_km`` of a point, measured along the great circle (poles and antimeridian too)."""

    lat: float
    lon: float
    radius_km: float

    def contains(self, lats: Floats, lons: Floats) -> Mask:
        """Return which places lie within the radius."""
        reach = self.radius_km / _KM_PER_DEGREE + 1e-6
        near = (lats >= self.lat - reach) & (lats <= self.lat + reach)
        if abs(self.lat) + reach < 90:
            half = math.degrees(math.asin(min(1.0, math.sin(math.radians(reach)) / math.cos(math.radians(self.lat)))))
            if abs(self.lon) + half <= 180:
                near &= (lons >= self.lon - half) & (lons <= self.lon + half)
        return _where(near, lats, lons, self._within)

    def _within(self, lats: Floats, lons: Floats) -> Mask:
        return distance_km(self.lat, self.lon, lats, lons) <= self.radius_km + _SLACK_KM


@dataclass(frozen=True, slots=True)
class Shape:
    """The union of one or more areas, ready for matching.

    ``geocodes`` are (scheme in folded case, value) pairs.  Places are in degrees, latitude −90…90 and longitude
    −180…180; a place that is NaN lies nowhere.
    """

    pieces: tuple[Piece, ...] = ()
    discs: tuple[Disc, ...] = ()
    geocodes: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether nothing can ever match this shape."""
        return not (self.pieces or self.discs or self.geocodes)

    def contains(self, lats: Floats, lons: Floats) -> Mask:
        """Return which places lie inside or on the border; geocodes are not places and are not looked at."""
        mask = np.zeros(lats.shape, np.bool_)
        parts: tuple[Piece | Disc, ...] = (*self.pieces, *self.discs)
        for part in parts:
            mask |= part.contains(lats, lons)
        if any(piece.bounds[0] <= -180 or piece.bounds[2] >= 180 for piece in self.pieces):
            self._touch_antimeridian(mask, lats, lons)
        return mask

    def _touch_antimeridian(self, mask: Mask, lats: Floats, lons: Floats) -> None:
        """Mark those who stand on the antimeridian, whichever of its two names their longitude bears."""
        edge = np.flatnonzero(np.abs(lons) == 180)
        for piece in self.pieces:
            mask[edge] |= piece.contains(lats[edge], -lons[edge])


def shape_of(areas: Iterable[Area], *, point_radius_km: float) -> Shape:
    """Return the union of ``areas``; a circle of radius 0 is a point and gets ``point_radius_km``."""
    all_areas = tuple(areas)
    polygons = [polygon for area in all_areas for polygon in area.polygons]
    circles = [circle for area in all_areas for circle in area.circles]
    return Shape(
        pieces=_pieces_of(Outlines(polygons)),
        discs=tuple(_disc(circle, point_radius_km) for circle in circles if circle.radius_km >= 0),
        geocodes=frozenset(
            geocode_key(code.value_name, code.value) for area in all_areas for code in area.geocodes if code.value
        ),
    )


def geocode_key(scheme: str, value: str) -> tuple[str, str]:
    """Return the pair by which geocodes are compared: the scheme without regard to case, the value as it stands."""
    return scheme.strip().casefold(), value.strip()


def distance_km(lat: float, lon: float, lats: Floats, lons: Floats) -> Floats:
    """Return great-circle distances in kilometres (haversine, exact for short and for antipodal distances)."""
    phi, phis = math.radians(lat), np.radians(lats)
    lat_term = np.sin((phis - phi) / 2) ** 2
    lon_term = np.sin(np.radians(lons - lon) / 2) ** 2
    chord = np.sqrt(np.minimum(lat_term + math.cos(phi) * np.cos(phis) * lon_term, 1.0))
    distances: Floats = 2 * EARTH_KM * np.arcsin(chord)
    return distances


def polygon_geometry(polygon: Polygon) -> BaseGeometry:
    """Return one ring as a valid geometry in (longitude, latitude) within ±180°; empty when it encloses nothing.

    A step of more than 180° of longitude is read as the short way over the antimeridian; a ring that goes once
    around a pole, poleward of 45°, encloses it.  A self-crossing ring keeps every lobe, unless it
    is a hopeless tangle.
    """
    # A tenth of a millimetre is enough, and spares the geometry library numbers next to nothing.
    numbers = np.fromiter(chain.from_iterable(polygon.points), np.float64, 2 * len(polygon.points))
    ring = np.round(numbers.reshape(-1, 2)[:, ::-1], 9)
    if len(ring) and not np.array_equal(ring[0], ring[-1]):
        ring = np.concatenate([ring, ring[:1]])
    if len(ring) < 4:
        return shapely.Polygon()
    unwrapped = _unwrapped(ring)
    try:
        with np.errstate(all="ignore"):
            geometry = _valid(ring if unwrapped is None else unwrapped)
            return _normalised(_world_box(ring) if geometry.is_empty else geometry)
    except shapely.GEOSException:
        return shapely.Polygon()  # as hopeless as a tangle


def _where(near: Mask, lats: Floats, lons: Floats, test: Callable[[Floats, Floats], Mask]) -> Mask:
    """Return ``near`` narrowed to the places that pass ``test``, which sees no others."""
    index = np.flatnonzero(near)
    if index.size == near.size:
        return test(lats, lons)
    if index.size:
        near[index] = test(lats[index], lons[index])
    return near


def _disc(circle: Circle, point_radius_km: float) -> Disc:
    return Disc(circle.lat, (circle.lon + 180) % 360 - 180, circle.radius_km or point_radius_km)


def _pieces_of(outlines: Outlines) -> tuple[Piece, ...]:
    """Return the pieces of polygons; those of few points are remembered, for an agency's districts come again."""
    return _remembered(outlines) if outlines.short else _pieces(outlines.polygons)


@lru_cache(maxsize=256)
def _remembered(outlines: Outlines) -> tuple[Piece, ...]:
    return _pieces(outlines.polygons)


def _pieces(polygons: Sequence[Polygon]) -> tuple[Piece, ...]:
    geometries = [geometry for geometry in map(polygon_geometry, polygons) if not geometry.is_empty]
    if not geometries:
        return ()
    with np.errstate(all="ignore"):
        whole = geometries[0] if len(geometries) == 1 else shapely.union_all(geometries)
    west, _, east, _ = whole.bounds
    if west > -180 or east < 180:
        return (_piece(whole),)
    # Both ends of the map: two boxes instead of one that spans the world keep the first look cheap.
    halves = (_polygonal(shapely.intersection(whole, shapely.box(x, -90, x + 180, 90))) for x in (-180, 0))
    return tuple(_piece(half) for half in halves if not half.is_empty)


def _piece(geometry: BaseGeometry) -> Piece:
    shapely.prepare(geometry)
    west, south, east, north = geometry.bounds
    return Piece(geometry, (west, south, east, north))


def _unwrapped(ring: Floats) -> Floats | None:
    """Return the ring with continuous longitudes, closed over the pole it goes around, if any.

    None: it goes around the world far from a pole.  To fill it up to one would be to guess half the earth.
    """
    turns = -np.round(np.diff(ring[:, 0]) / 360)
    if not turns.any():
        return ring
    ring = ring.copy()
    ring[1:, 0] += 360 * np.cumsum(turns)
    if abs(ring[-1, 0] - ring[0, 0]) < 180:
        return ring
    lats = ring[:, 1]
    if np.abs(lats).min() < _POLAR or lats.min() < 0 < lats.max():
        return None
    pole = math.copysign(90.0, float(lats[0]))
    return np.concatenate([ring, [[ring[-1, 0], pole], [ring[0, 0], pole]], ring[:1]])


def _valid(ring: Floats) -> BaseGeometry:
    polygon = shapely.Polygon(ring)
    if polygon.is_valid:
        return polygon
    if _is_tangled(ring):
        return shapely.Polygon()
    # "structure", not "linework": even-odd would punch a hole where a ring overlaps itself.
    return _polygonal(shapely.make_valid(polygon, method="structure", keep_collapsed=False))


def _is_tangled(ring: Floats) -> bool:
    """Whether the ring crosses itself so often that untangling it would hold up every other alert for minutes.

    Such a ring is noise and no border; it encloses nothing, so that it is held or seen to match nobody.
    """
    edges = np.asarray(shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1)))
    tree = shapely.STRtree(edges)
    meetings = -3 * len(edges)  # every edge meets itself and its two neighbours
    for start in range(0, len(edges), _EDGES_AT_ONCE):
        meetings += tree.query(edges[start : start + _EDGES_AT_ONCE]).shape[1]
        if meetings > 2 * _MOST_MEETINGS:
            return True
    return False


def _world_box(ring: Floats) -> BaseGeometry:
    """Return the box around the whole world, whose edges of exactly 360° unwrapping makes nothing of, else nothing.

    Only a true box is believed: a sliver along the antimeridian must not grow around the world.
    """
    box = shapely.box(*ring.min(axis=0), *ring.max(axis=0))
    if box.area == 0:
        return shapely.Polygon()
    return box if shapely.Polygon(ring).normalize().equals_exact(box.normalize(), tolerance=0) else shapely.Polygon()


def _normalised(geometry: BaseGeometry) -> BaseGeometry:
    """Return the geometry cut at the antimeridian, every part moved into −180…180."""
    if geometry.is_empty:
        return geometry
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return geometry
    first, last = math.floor((west + 180) / 360), math.floor((east + 180) / 360)
    worlds = [
        shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90) for turn in range(first, min(last, first + 2) + 1)
    ]
    parts = [translate(shapely.intersection(geometry, world), xoff=-180.0 - world.bounds[0]) for world in worlds]
    return _polygonal(shapely.union_all(parts))


def _polygonal(geometry: BaseGeometry) -> BaseGeometry:
    """Return the part that has an area; lines and points that repairing or cutting left over match nobody."""
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" and part.area > 0]
    return shapely.union_all(parts) if parts else shapely.Polygon()
