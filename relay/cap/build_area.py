"""One area: its polygons and circles within the alert's bounds, its geocodes, and where each shape was written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from relay.cap.build_parts import Parts
from relay.cap.limits import Limits
from relay.cap.model import Area, Circle, Pair, Polygon
from relay.cap.rules import Findings
from relay.cap.shapes import CircleReading, PolygonReading, count_vertices, read_circle, read_polygon
from relay.cap.tree import Node, Paths, Trail


@dataclass(frozen=True, slots=True)
class ShapePlace:
    """A polygon or circle of the alert and where it was written."""

    shape: Polygon | Circle
    trail: Trail

    @property
    def path(self) -> str:
        """Its XPath or JSON Pointer."""
        return Paths().of(self.trail)

    @property
    def line(self) -> int | None:
        """Its line, for XML."""
        return self.trail[-1].line


class AreaBuilder:
    """Builds the areas of one alert and counts their points."""

    def __init__(self, findings: Findings, limits: Limits, *, ordered: bool, parts: type[Parts] = Parts) -> None:
        self.built: list[tuple[Area, Trail]] = []
        self.shapes: list[ShapePlace] = []
        self._findings = findings
        self._limits = limits
        self._parts = partial(parts, findings, limits, ordered=ordered)
        self._polygons = 0
        self._vertices = 0

    def area(self, trail: Trail) -> Area:
        """Return the area at the end of ``trail``."""
        parts = self._parts(trail)
        polygons = [self._polygon((*trail, node)) for node in parts.nodes("polygon")]
        circles = [self._circle((*trail, node)) for node in parts.nodes("circle")]
        area = Area(
            area_desc=parts.text("areaDesc"),
            polygons=tuple([polygon for polygon in polygons if polygon is not None]),
            circles=tuple([circle for circle in circles if circle is not None]),
            geocodes=self._geocodes(parts),
            altitude=parts.text("altitude"),
            ceiling=parts.text("ceiling"),
            extensions=parts.extensions,
        )
        self.built.append((area, trail))
        return area

    def pair(self, container: Parts, node: Node) -> Pair:
        """Return the ``valueName`` and ``value`` in a child of ``container``; an empty value stays empty."""
        plain = container.plain_pair(node)
        if plain is not None:
            return plain
        parts = self._parts((*container.trail, node))
        return Pair(parts.text("valueName"), parts.text("value"))

    def _geocodes(self, parts: Parts) -> tuple[Pair, ...]:
        """Leave out codes without a value: they can match nobody, but would make the area look usable."""
        kept: list[Pair] = []
        for node in parts.nodes("geocode"):
            pair = self.pair(parts, node)
            if pair.value:
                kept.append(pair)
            else:
                self._findings.add("geocode-empty", (*parts.trail, node), value=pair.value_name)
        return tuple(kept)

    def _polygon(self, trail: Trail) -> Polygon | None:
        text = trail[-1].text
        if not self._room_for(trail, text):
            return None
        reading = read_polygon(text)
        self._report(reading, trail)
        if reading.polygon is not None:
            self._keep(reading.polygon, trail)
        return reading.polygon

    def _circle(self, trail: Trail) -> Circle | None:
        reading = read_circle(trail[-1].text)
        self._report(reading, trail)
        if reading.circle is not None:
            self._keep(reading.circle, trail)
        return reading.circle

    def _room_for(self, trail: Trail, text: str) -> bool:
        """Count before reading, so that an absurd alert costs no more than its length; say it once."""
        limits = self._limits
        before = self._polygons > limits.max_polygons or self._vertices > limits.max_vertices
        self._polygons += 1
        self._vertices += count_vertices(text)
        if self._polygons <= limits.max_polygons and self._vertices <= limits.max_vertices:
            return True
        if not before:
            many = self._polygons > limits.max_polygons
            key, limit = ("polygons", limits.max_polygons) if many else ("vertices", limits.max_vertices)
            self._findings.add(key, trail, limit=str(limit))
        return False

    def _report(self, reading: PolygonReading | CircleReading, trail: Trail) -> None:
        for problem in reading.problems:
            self._findings.add(problem.key, trail, **problem.values)

    def _keep(self, shape: Polygon | Circle, trail: Trail) -> None:
        self.shapes.append(ShapePlace(shape, trail))
