"""A jurisdiction: where a key may warn, and whether an alert stays inside."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from relay.cap.area import EARTH_KM, polygon_geometry
from relay.cap.model import Alert, Area, Circle, Polygon
from relay.errors import InvalidInput

_RIM_POINTS = 32
_BOX = re.compile(r"\s*,\s*".join([r"\s*([-+]?\d+(?:\.\d+)?)"] * 4) + r"\s*")
_PAIR = re.compile(r"([-+]?\d+(?:\.\d+)?),([-+]?\d+(?:\.\d+)?)")
_HELP = (
    "Write an area as south,west,north,east in degrees (for example 42.5,76.0,44.0,78.0), as a CAP polygon"
    " “lat,lon lat,lon …” (several separated by ;), or as GeoJSON."
)


class Fit(StrEnum):
    """How an alert's areas lie in a jurisdiction."""

    INSIDE = "inside"
    OUTSIDE = "outside"  # at least a part lies outside
    SWAPPED = "swapped"  # every pair lies outside, and every one would be inside as lon,lat
    UNKNOWN = "unknown"  # an area has only geocodes, which cannot be compared with a shape


@dataclass(frozen=True, slots=True)
class Placing:
    """A fit, and the first area element that shows it: its XPath, the shape, and its first pair as written."""

    fit: Fit
    path: str = ""
    pair: str = ""
    swapped: str = ""
    shape: Polygon | Circle | None = None


@lru_cache(maxsize=1024)
def read_jurisdiction(text: str) -> BaseGeometry | None:
    """Return the shape (longitude, latitude) that ``text`` describes; None for an empty text: everywhere.

    Raises:
        InvalidInput: the text describes no area (slug ``bad-area``).
    """
    if not text.strip():
        return None
    geometry = _geometry(text.strip())
    if geometry is None or geometry.is_empty or not geometry.area:
        raise InvalidInput("bad-area", f"“{text[:64]}” is no area. {_HELP}")
    shapely.prepare(geometry)
    return geometry


def place(alert: Alert, jurisdiction: BaseGeometry) -> Placing:
    """Return how the alert's areas lie in ``jurisdiction``; an alert without any area lies inside.

    Geocodes beside a polygon or circle describe the same place and are not looked at.
    """
    first_outside: Placing | None = None
    swaps = True
    unknown: Placing | None = None
    for path, area in _areas(alert):
        if not (area.polygons or area.circles):
            unknown = unknown or (Placing(Fit.UNKNOWN, path) if area.geocodes else None)
            continue
        for element, shape in _elements(path, area):
            inside = jurisdiction.covers(_shape(shape))
            swaps = swaps and not inside and _only_swapped_fits(shape, jurisdiction)
            if not inside and first_outside is None:
                first_outside = Placing(Fit.OUTSIDE, element, *_first_pair(shape), shape)
    if first_outside is None:
        return unknown or Placing(Fit.INSIDE)
    if swaps:
        return dataclasses.replace(first_outside, fit=Fit.SWAPPED)
    return first_outside


def _geometry(text: str) -> BaseGeometry | None:
    box = _BOX.fullmatch(text)
    if box is not None:
        south, west, north, east = map(float, box.groups())
        return _box(south, west, north, east)
    if text.startswith("{"):
        try:
            return shapely.union_all(shapely.get_parts(shapely.from_geojson(text)))
        except shapely.GEOSException:
            return None
    rings = [_ring(ring) for ring in text.split(";") if ring.strip()]
    if any(ring is None for ring in rings):
        return None
    return shapely.union_all(rings)


def _box(south: float, west: float, north: float, east: float) -> BaseGeometry | None:
    if not (-90 <= south < north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
        return None
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.union_all([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])


def _ring(text: str) -> BaseGeometry | None:
    pairs = [_PAIR.fullmatch(word) for word in text.split()]
    points = tuple((float(pair[1]), float(pair[2])) for pair in pairs if pair is not None)
    if len(points) != len(pairs) or any(abs(lat) > 90 for lat, _ in points):
        return None
    return polygon_geometry(Polygon(points, text))


def _areas(alert: Alert) -> Iterator[tuple[str, Area]]:
    for i, info in enumerate(alert.info, start=1):
        for a, area in enumerate(info.area, start=1):
            yield f"/alert/info[{i}]/area[{a}]", area


def _elements(path: str, area: Area) -> Iterator[tuple[str, Polygon | Circle]]:
    for n, polygon in enumerate(area.polygons, start=1):
        yield f"{path}/polygon[{n}]", polygon
    for n, circle in enumerate(area.circles, start=1):
        yield f"{path}/circle[{n}]", circle


def _shape(shape: Polygon | Circle) -> BaseGeometry:
    if isinstance(shape, Polygon):
        geometry = polygon_geometry(shape)
        # A flat ring encloses nothing, but it is somewhere all the same.
        return shapely.MultiPoint([(lon, lat) for lat, lon in shape.points]) if geometry.is_empty else geometry
    return shapely.MultiPoint(list(_rim(shape)))


def _rim(circle: Circle) -> Iterator[tuple[float, float]]:
    """Yield the centre and points on the rim as (longitude, latitude)."""
    yield (circle.lon + 180) % 360 - 180, circle.lat
    phi, angle = math.radians(circle.lat), circle.radius_km / EARTH_KM
    for n in range(_RIM_POINTS):
        bearing = 2 * math.pi * n / _RIM_POINTS
        sine = math.sin(phi) * math.cos(angle) + math.cos(phi) * math.sin(angle) * math.cos(bearing)
        east = math.atan2(math.sin(bearing) * math.sin(angle) * math.cos(phi), math.cos(angle) - math.sin(phi) * sine)
        yield (circle.lon + math.degrees(east) + 180) % 360 - 180, math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def _only_swapped_fits(shape: Polygon | Circle, jurisdiction: BaseGeometry) -> bool:
    points = np.asarray(shape.points if isinstance(shape, Polygon) else [(shape.lat, shape.lon)], np.float64)
    lats, lons = points[:, 0], points[:, 1]
    as_written = shapely.intersects_xy(jurisdiction, lons, lats)
    as_swapped = shapely.intersects_xy(jurisdiction, lats, lons)
    return bool(not as_written.any() and as_swapped.all())


def _first_pair(shape: Polygon | Circle) -> tuple[str, str]:
    written = shape.text.split()
    pair = written[0] if written else ""
    lat, _, lon = pair.partition(",")
    return pair, f"{lon},{lat}" if lon else ""
