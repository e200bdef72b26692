"""Polygons and circles as CAP writes them: ``lat,lon lat,lon …``, ``lat,lon radius`` (CAP-v1.2-os §3.2.4, §3.3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

import orjson

from relay.cap.model import Circle, Polygon

_PAIRS = re.compile(r"(?:[0-9.+-]++,[0-9.+-]++\s*+)++", re.ASCII)
_NUMBER = r"[+-]?(?:[0-9]{1,5}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})"
_PAIR = re.compile(rf"({_NUMBER}),({_NUMBER})", re.ASCII)
_CIRCLE = re.compile(rf"({_NUMBER}),({_NUMBER})\s+([+-]?[0-9]{{1,9}}(?:\.[0-9]{{0,30}})?)", re.ASCII)
_LONGEST_PAIR = 64
_FARTHEST_LON = 540.0
_SHORT = 2_000
_KEPT = 128
HALF_THE_EARTH_KM = 20_038.0
"""Half the equator, rounded up: no circle can be larger."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Problem:
    """A key of the rule catalogue and the values for its sentence."""

    key: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolygonReading:
    """What a polygon's text says: ``polygon`` (None when it cannot be used), and what is wrong or was repaired."""

    polygon: Polygon | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class CircleReading:
    """What a circle's text says."""

    circle: Circle | None
    problems: tuple[Problem, ...] = ()


def count_vertices(text: str) -> int:
    """Return how many points a polygon's text has, without reading them."""
    return text.count(",")


def read_polygon(text: str) -> PolygonReading:
    """Read a ring of at least three different points; an open ring is closed."""
    # Language versions, updates and neighbouring alerts repeat the rings of the same districts.
    return _read_known(text) if len(text) <= _SHORT else _read(text)


def _read(text: str) -> PolygonReading:
    words = text.split()
    numbers = _numbers(words) if _PAIRS.fullmatch(text) else None
    if numbers is None:
        bad = next((word for word in words if _PAIR.fullmatch(word) is None), text)
        return PolygonReading(None, (Problem("polygon-form", {"value": bad}),))
    lats, lons = numbers[::2], numbers[1::2]
    points = list(zip(lats, lons, strict=True))
    west, east = min(lons), max(lons)
    if min(lats) < -90.0 or max(lats) > 90.0 or west < -_FARTHEST_LON or east > _FARTHEST_LON:
        return PolygonReading(None, (_misplaced(points, words),))
    if len(set(points[:5])) < 3 and (distinct := len(set(points))) < 3:
        return PolygonReading(None, (Problem("polygon-points", {"count": str(distinct)}),))
    problems: list[Problem] = []
    if points[0] != points[-1]:
        points.append(points[0])
        problems.append(Problem("polygon-open"))
    if west < -180.0 or east > 180.0:
        problems.append(Problem("beyond"))
    return PolygonReading(Polygon(tuple(points), " ".join(words)), tuple(problems))


_read_known = lru_cache(maxsize=_KEPT)(_read)


def _numbers(words: list[str]) -> list[float] | None:
    """Read the numbers of all pairs; their form was checked, so none is NaN or hex or has foreign digits."""
    if max(map(len, words)) > _LONGEST_PAIR:
        return None
    joined = ",".join(words)
    try:
        # A JSON parser reads plain numbers three times faster than float() does; the rest (+5, .5, 05) is rare.
        return list(map(float, orjson.loads(f"[{joined}]")))
    except ValueError:
        return list(map(float, joined.split(","))) if all(map(_PAIR.fullmatch, words)) else None


def _misplaced(points: list[Point], words: list[str]) -> Problem:
    index = next(i for i, point in enumerate(points) if not _fits(point))
    swappable = all(_fits((lon, lat)) for lat, lon in points)
    return _off_earth(words[index], swappable=swappable)


def _fits(point: Point) -> bool:
    lat, lon = point
    return abs(lat) <= 90.0 and abs(lon) <= _FARTHEST_LON


def _off_earth(pair: str, *, swappable: bool) -> Problem:
    if not swappable:
        return Problem("position", {"pair": pair})
    return Problem("latitude", {"pair": pair, "swapped": swap(pair)})


def swap(pair: str) -> str:
    """Return ``lon,lat`` for ``lat,lon``."""
    first, _, second = pair.partition(",")
    return f"{second},{first}"


def read_circle(text: str) -> CircleReading:
    """Read ``lat,lon radius``; the radius is in kilometres and may be 0."""
    form = _CIRCLE.fullmatch(text)
    if form is None:
        return CircleReading(None, (Problem("circle-form", {"value": text}),))
    lat, lon, radius = (float(number) for number in form.groups())
    if not _fits((lat, lon)):
        pair = f"{form.group(1)},{form.group(2)}"
        return CircleReading(None, (_off_earth(pair, swappable=_fits((lon, lat))),))
    if not 0.0 <= radius <= HALF_THE_EARTH_KM:
        return CircleReading(None, (Problem("circle-radius", {"value": form.group(3)}),))
    problems = (Problem("beyond"),) if abs(lon) > 180.0 else ()
    return CircleReading(Circle(lat, lon, radius, " ".join(text.split())), problems)
