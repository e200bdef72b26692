"""Outlines: polygons as something to remember their shapes by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from relay.cap.model import Polygon

_FEW_POINTS: Final = 200


class Outlines:
    """Polygons, the same when their texts are read as the same points."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self.polygons = polygons
        self.short = sum(len(polygon.points) for polygon in polygons) <= _FEW_POINTS
        self._known_by = tuple((p.text, p.points[:2]) if p.text else (p.points,) for p in polygons)

    def __hash__(self) -> int:
        return hash(self._known_by)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outlines) and self._known_by == other._known_by
