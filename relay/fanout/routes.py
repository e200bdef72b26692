"""Which channels carry a delivery: by kind, lane and address prefix, in the operator's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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


#: Channels that one address may go through, the first choice first.
Candidates = tuple[Route, ...]


class Routes:
    """The configured channels, sorted once."""

    def __init__(self, routes: Sequence[Route]) -> None:
        ordered = sorted(routes, key=lambda r: (r.order, r.name))
        self._live = {kind: _Lane([r for r in ordered if r.live and r.kind is kind]) for kind in Kind}
        self._drill = {kind: _Lane([r for r in ordered if r.drill and r.kind is kind]) for kind in Kind}

    def candidates(self, kind: Kind, address: str, *, drill: bool) -> Candidates:
        """Return the channels that fit; when there is none, nobody must be told through any other.

        Equal answers are the same object, so that a caller can remember by identity what he made of one.
        """
        return (self._drill if drill else self._live)[kind].candidates(address)


@dataclass(slots=True)
class _Lane:
    routes: list[Route]
    _known: dict[int, Candidates] = field(default_factory=dict)

    def candidates(self, address: str) -> Candidates:
        fits = 0
        for bit, route in enumerate(self.routes):
            if not route.match or address.startswith(route.match):
                fits |= 1 << bit
        if fits not in self._known:
            self._known[fits] = tuple(route for bit, route in enumerate(self.routes) if fits >> bit & 1)
        return self._known[fits]
