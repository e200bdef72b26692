"""Who must be told what, worked out a second time: plain geometry on plain documents, nothing of the relay's.

Written from the design (§5, §18) and CAP 1.2 only.  It knows what the campaign posts: public alerts, convex or simple
polygons, circles, geocodes, drills, least severities, hazards and languages.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.people import SEVERITIES

Document = Mapping[str, Any]

_EARTH_KM = 6371.0


def readers(alert: Document, people: Sequence[Document]) -> dict[str, int]:
    """Return, for everybody who must be told, the number of the info that he reads."""
    found = {}
    for person in people:
        info = reads(alert, person)
        if info is not None:
            found[str(person["id"])] = info
    return found


def reads(alert: Document, person: Document) -> int | None:
    """Return the number of the info that ``person`` reads; None: the alert is not for him."""
    if alert["status"] != "Actual" and not person["drills"]:
        return None
    fitting = [n for n, info in enumerate(alert.get("info", [])) if _wants(person, info) and _is_in(person, info)]
    if not fitting:
        return None
    infos = alert["info"]
    for wanted in person["languages"]:
        spoken = [n for n in fitting if _speaks(infos[n]["language"], wanted)]
        if spoken:
            return _worst(infos, spoken)
    return _worst(infos, fitting)


def addresses(person: Document) -> Iterator[tuple[str, str]]:
    """Yield kind and address of everything that reaches him."""
    for address in person["addresses"]:
        yield address["kind"], address["value"]


def _worst(infos: Sequence[Document], numbers: Sequence[int]) -> int:
    return max(numbers, key=lambda n: (SEVERITIES.index(infos[n]["severity"]), -n))


def _speaks(language: str, wanted: str) -> bool:
    return language.partition("-")[0].lower() == wanted.partition("-")[0].lower()


def _wants(person: Document, info: Document) -> bool:
    least = person.get("min_severity", "Unknown")
    hazards = person.get("hazards") or info["category"]
    severe = SEVERITIES.index(info["severity"]) >= SEVERITIES.index(least)
    return severe and bool(set(hazards) & set(info["category"]))


def _is_in(person: Document, info: Document) -> bool:
    lat, lon = person["location"]["lat"], person["location"]["lon"]
    for area in info.get("area", []):
        if any(_inside(lat, lon, _points(polygon)) for polygon in area.get("polygon", [])):
            return True
        if any(_within(lat, lon, circle) for circle in area.get("circle", [])):
            return True
        codes = [(code["valueName"], code["value"]) for code in area.get("geocode", [])]
        if any((code["scheme"], code["value"]) in codes for code in person["geocodes"]):
            return True
    return False


def _points(polygon: str) -> list[tuple[float, float]]:
    return [(float(lat), float(lon)) for lat, lon in (pair.split(",") for pair in polygon.split())]


def _inside(lat: float, lon: float, points: Sequence[tuple[float, float]]) -> bool:
    """Count how often a line to the east crosses the border."""
    inside = False
    for (y1, x1), (y2, x2) in itertools.pairwise(points):
        if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def _within(lat: float, lon: float, circle: str) -> bool:
    centre, radius = circle.split()
    north, east = (math.radians(float(value)) for value in centre.split(","))
    here, over = math.radians(lat), math.radians(lon)
    half = math.sin((here - north) / 2) ** 2 + math.cos(here) * math.cos(north) * math.sin((over - east) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(half)) <= float(radius)
