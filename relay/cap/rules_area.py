"""Rules on areas and resources (cap-rules 26, 28, 30, 33, 35, 38, 39)."""

from __future__ import annotations

import base64
import binascii
import re
from functools import lru_cache
from itertools import chain

import numpy as np
import shapely

from relay.cap.model import Alert, Area, Polygon, Resource
from relay.cap.rules_entry import NO_HITS, Hits, Rule, found

_MOST_CHECKED = 5_000
"""Longer rings are not searched for crossings here: matching repairs them anyway, and the search takes its time."""

_SHORT = 120
_KEPT = 128

_FEET = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_BAD_SCHEME = re.compile(r"\s*(?:file|javascript|data|vbscript)\s*:", re.IGNORECASE)
_LARGEST_RESOURCE = 512 * 1024


def _crosses(polygon: Polygon) -> bool:
    count = len(polygon.points)
    if count <= 4 or count > _MOST_CHECKED:
        return False
    return _known_crossing(polygon) if count <= _SHORT else _crossing(polygon)


def _crossing(polygon: Polygon) -> bool:
    count = len(polygon.points)
    points = np.fromiter(chain.from_iterable(polygon.points), dtype=float, count=2 * count).reshape(-1, 2)
    if points[:, 1].max() - points[:, 1].min() > 180:  # a ring over the antimeridian only looks crossed
        return False
    return not shapely.is_simple(shapely.linearrings(points))


_known_crossing = lru_cache(maxsize=_KEPT)(_crossing)  # the rings of a region's districts come again and again


def _self_crossing(area: Area, _: Alert) -> Hits:
    return found("polygon") if any(_crosses(polygon) for polygon in area.polygons) else NO_HITS


def _flat(area: Area, _: Alert) -> Hits:
    for polygon in area.polygons:
        (lat0, lon0), (lat1, lon1), (lat2, lon2) = polygon.points[:3]
        if (lat1 - lat0) * (lon2 - lon0) != (lon1 - lon0) * (lat2 - lat0):
            continue  # the first three already enclose something, as nearly always
        rest = polygon.points[1:]
        lat1, lon1 = next((point for point in rest if point != (lat0, lon0)), (lat0, lon0))
        if all((lat1 - lat0) * (lon - lon0) == (lon1 - lon0) * (lat - lat0) for lat, lon in rest):
            return found("polygon")
    return NO_HITS


def _point(area: Area, _: Alert) -> Hits:
    return found("circle") if any(circle.radius_km == 0 for circle in area.circles) else NO_HITS


def _no_geometry(area: Area, _: Alert) -> Hits:
    return found("") if not area.has_geometry else NO_HITS


def _heights(area: Area, _: Alert) -> Hits:
    if not area.ceiling and not area.altitude:
        return NO_HITS
    if not area.altitude or not all(_FEET.fullmatch(text) for text in (area.altitude, area.ceiling) if text):
        return found("ceiling" if area.ceiling else "altitude")
    return found("ceiling") if bool(area.ceiling) and float(area.ceiling) < float(area.altitude) else NO_HITS


def _scheme(resource: Resource, _: Alert) -> Hits:
    return found("uri", value=resource.uri) if _BAD_SCHEME.match(resource.uri) is not None else NO_HITS


def _content(resource: Resource, _: Alert) -> Hits:
    text = resource.deref_uri
    if not text:
        return NO_HITS
    try:
        size = len(base64.b64decode("".join(text.split()).encode(), validate=True))
    except (binascii.Error, ValueError):
        size = _LARGEST_RESOURCE + 1
    return found("derefUri") if size > _LARGEST_RESOURCE else NO_HITS


AREA_RULES: tuple[Rule, ...] = (
    Rule(
        id="CAP-033",
        key="self-crossing",
        lenient="warning",
        strict="error",
        on=Area,
        check=_self_crossing,
        slug="bad-polygon",
        en="The line of a polygon crosses itself; it is repaired for finding people.",
        ru="Линия полигона пересекает сама себя; для поиска людей она исправлена.",
    ),
    Rule(
        id="CAP-030",
        key="flat",
        lenient="warning",
        strict="error",
        on=Area,
        check=_flat,
        slug="bad-polygon",
        en="All points of a polygon lie on one line: it has no area.",
        ru="Все точки полигона лежат на одной линии: у него нет площади.",
    ),
    Rule(
        id="CAP-035",
        key="point",
        lenient="warning",
        strict="warning",
        on=Area,
        check=_point,
        en="A circle has radius 0; the configured smallest radius is used.",
        ru="У круга радиус 0; берётся наименьший радиус из настроек.",
    ),
    Rule(
        id="CAP-039",
        key="no-geometry",
        lenient="warning",
        strict="warning",
        on=Area,
        check=_no_geometry,
        en="The area has no polygon, circle or geocode, so the relay cannot tell who is inside.",
        ru="У территории нет полигона, круга или геокода: релей не может определить, кто внутри.",
    ),
    Rule(
        id="CAP-038",
        key="heights",
        lenient="warning",
        strict="error",
        on=Area,
        check=_heights,
        en="altitude and ceiling are feet above sea level; ceiling needs altitude and is not below it.",
        ru="altitude и ceiling — футы над уровнем моря; ceiling задают вместе с altitude и не ниже её.",
    ),
    Rule(
        id="CAP-028",
        key="scheme",
        lenient="error",
        strict="error",
        on=Resource,
        check=_scheme,
        slug="resource-not-allowed",
        en="The resource address “{value}” cannot be passed on. Use http or https.",
        ru="Адрес ресурса «{value}» передавать нельзя. Используйте http или https.",
    ),
    Rule(
        id="CAP-026",
        key="content",
        lenient="error",
        strict="error",
        on=Resource,
        check=_content,
        slug="resource-not-allowed",
        en="derefUri must be base64 of at most 512 KiB. Put larger files on a web server and give their uri.",
        ru="derefUri — это base64, не больше 512 КиБ. Большие файлы положите на веб-сервер и укажите uri.",
    ),
)
