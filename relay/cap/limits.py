"""How much of an alert is read: bounds that keep a hostile document cheap (design §6, cap-rules 42)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one alert; the byte length of the body is bounded before it comes here.

    ``items`` bounds each repeatable element within its parent, ``text`` the characters of a value (polygons, circles
    and ``derefUri`` have their own bounds), ``number`` the characters of a JSON number, ``members`` the members of one
    JSON object.
    """

    max_vertices: int = 200_000
    max_polygons: int = 1_000
    depth: int = 20
    elements: int = 40_000
    attributes: int = 32
    namespaces: int = 16
    items: int = 2_000
    text: int = 65_536
    number: int = 32
    members: int = 200
