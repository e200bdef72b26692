"""The stage: everything a scene plays with, how it waits, and what it leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from relay.clock import Clock
from relay.demo.alerts import Draft
from relay.demo.child import RelayProcess
from relay.demo.configuration import Places
from relay.demo.crowd import Crowd
from relay.demo.paper import Paper
from relay.demo.receivers import Arrival, Receivers
from relay.demo.relay_client import Document, Posted, RelayClient

_STEP: Final = 0.002
_SAY: Final = 0.25
_ASK: Final = 0.1

SETTLE: Final = 0.3
"""Seconds in which something that must not come would have come."""


@dataclass(slots=True)
class Verdict:
    """How a scene went: ``says`` is its last line; it is as promised while ``broken`` is empty."""

    says: str
    broken: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether everything was as promised."""
        return not self.broken

    def promise(self, kept: object, otherwise: str) -> None:
        """Note ``otherwise`` unless ``kept`` is true."""
        if not kept:
            self.broken.append(otherwise)


@dataclass(slots=True, kw_only=True)
class Stage:
    """One run of the demo; ``quake``, ``quake_id`` and ``told`` are the first scene's, for the later ones."""

    relay: RelayClient
    process: RelayProcess
    receivers: Receivers
    crowd: Crowd
    paper: Paper
    places: Places
    clock: Clock
    agency: str = ""
    quake: Draft | None = None
    quake_xml: bytes = b""
    quake_id: str = ""
    told: Sequence[Arrival] = ()
    expected: int = 0
    """How many messages all scenes so far should have sent to the twelve."""

    async def post(self, xml: bytes) -> Posted:
        """Post an alert with the agency's key."""
        return await self.relay.post_alert(xml, key=self.agency)

    async def until(self, reached: Callable[[], bool], *, within: float, says: Callable[[], str]) -> bool:
        """Wait until ``reached``, at most ``within`` seconds; return whether it was, and say what is waited for."""
        began = said = self.clock.monotonic()
        while not reached():
            now = self.clock.monotonic()
            if now - began > within:
                return False
            if now - said > _SAY:
                self.paper.busy(says())
                said = now
            await asyncio.sleep(_STEP)
        return True

    async def alert_when(
        self, alert_id: str, reached: Callable[[Document], bool], *, within: float, says: Callable[[Document], str]
    ) -> Document:
        """Ask for an alert until ``reached``, at most ``within`` seconds; return the last answer."""
        began = self.clock.monotonic()
        while True:
            alert = await self.relay.alert(alert_id)
            if reached(alert) or self.clock.monotonic() - began > within:
                return alert
            self.paper.busy(says(alert))
            await asyncio.sleep(_ASK)


Scene = Callable[[Stage], Awaitable[Verdict]]


_WAITING: Final = ("queued", "sending", "retrying", "accepted")


def open_deliveries(alert: Document) -> int:
    """Return how many deliveries of an alert are not at their end yet; an alert that is not planned has one."""
    counts = alert.get("counts") or {}
    waiting = sum(int(counts.get(state, 0)) for state in _WAITING)
    return waiting if counts or alert.get("state") in ("completed", "cancelled") else 1


def count_line(counts: Document, *, names: dict[str, str]) -> str:
    """Return counts by state in the order of ``names``, under those names: ``2 acknowledged · 8 delivered``."""
    known = [f"{counts[state]:,} {name}" for state, name in names.items() if counts.get(state)]
    rest = [f"{n:,} {state}" for state, n in counts.items() if n and state not in names]
    return " · ".join(known + rest)
