"""Polygons and circles as CAP writes them: ``lat,lon lat,lon …``, ``lat,lon radius`` (CAP-v1.2-os §3.2.4, §3.3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from relay.cap.model import Circle, Polygon

_ONLY = re.compile(r"[0-9.,+\- \t\r\n]*", re.ASCII)
_NUMBER = r"[+-]?[0-9]{1,5}(?:\.[0-9]{0,30})?"
_PAIR = re.compile(rf"({_NUMBER}),({_NUMBER})", re.ASCII)
_CIRCLE = re.compile(rf"({_NUMBER}),({_NUMBER})\s+([+-]?[0-9]{{1,9}}(?:\.[0-9]{{0,30}})?)", re.ASCII)
_LONGEST_PAIR = 64
_FARTHEST_LON = 540.0
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
    words = text.split()
    points = _points(words, text)
    if points is None:
        bad = next((word for word in words if _PAIR.fullmatch(word) is None), text)
        return PolygonReading(None, (Problem("polygon-form", {"value": bad}),))
    problem = _misplaced(points, words)
    if problem is not None:
        return PolygonReading(None, (problem,))
    distinct = len(set(points))
    if distinct < 3:
        return PolygonReading(None, (Problem("polygon-points", {"count": str(distinct)}),))
    written = " ".join(words)
    if points[0] == points[-1]:
        return PolygonReading(Polygon(tuple(points), written))
    points.append(points[0])
    return PolygonReading(Polygon(tuple(points), written), (Problem("polygon-open"),))


def _points(words: list[str], text: str) -> list[Point] | None:
    """Read all pairs, quickly: after the check of the alphabet float() meets no NaN, hex, exponent or foreign digit."""
    if not words or _ONLY.fullmatch(text) is None or max(map(len, words)) > _LONGEST_PAIR:
        return None
    points: list[Point] = []
    try:
        for word in words:
            lat, lon = word.split(",")
            points.append((float(lat), float(lon)))
    except ValueError:
        return None
    return points


def _misplaced(points: list[Point], words: list[str]) -> Problem | None:
    if all(-90.0 <= lat <= 90.0 and -_FARTHEST_LON <= lon <= _FARTHEST_LON for lat, lon in points):
        return None
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
    return CircleReading(Circle(lat, lon, radius, " ".join(text.split())))
