"""Which channel carries a delivery: by kind, lane and address prefix, in the operator's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.adapter import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What routing needs to know of a configured channel."""

    name: str
    kind: Kind
    order: int
    live: bool
    drill: bool
    match: tuple[str, ...] = ()


class Routes:
    """The configured channels, sorted once."""

    def __init__(self, routes: Sequence[Route]) -> None:
        ordered = sorted(routes, key=lambda r: (r.order, r.name))
        self._live = _by_kind([r for r in ordered if r.live])
        self._drill = _by_kind([r for r in ordered if r.drill])

    def choose(self, kind: Kind, address: str, *, drill: bool) -> Route | None:
        """Return the first channel that fits, or None: then nobody must be told through any other."""
        for route in (self._drill if drill else self._live).get(kind, ()):
            if not route.match or address.startswith(route.match):
                return route
        return None


def _by_kind(routes: Sequence[Route]) -> Mapping[Kind, tuple[Route, ...]]:
    return {kind: tuple(r for r in routes if r.kind is kind) for kind in Kind}
