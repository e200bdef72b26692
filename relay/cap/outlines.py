"""Outlines: polygons as something to remember their shapes by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relay.cap.model import Polygon

_FEW_POINTS: Final = 200


class Outlines:
    """Polygons, the same when all their points are; ``short`` when it costs little to compare these."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self.polygons = polygons
        self._points = tuple(polygon.points for polygon in polygons)
        self.short = sum(map(len, self._points)) <= _FEW_POINTS

    def __hash__(self) -> int:
        return hash(self._points)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outlines) and self._points == other._points
