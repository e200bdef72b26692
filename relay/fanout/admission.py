"""Admission: an alert is planned when Redis has room for what it will need; less urgent ones wait (design §9)."""

from __future__ import annotations

import random
from collections.abc import Iterable

import structlog

from relay.adapter import Kind
from relay.clock import Clock
from relay.fanout.plan import PlannedLeg
from relay.store.alerts import Alerts, StoredAlert
from relay.store.keys import Partition
from relay.store.legs import Legs
from relay.store.room import URGENT, WAITS_FOR_MEMORY, Room
from relay.tracking.states import RECORD_BYTES

log = structlog.get_logger()

#: Bytes of a delivery's place in a segment, and of a leg and an alert apart from their deliveries.
_PLACE = 4
_LEG = 2_000
#: How long a count of what is promised is believed, in seconds.
_FRESH = 1.0
#: How soon a plan that waits for room is looked at again, in milliseconds; not all at once.
_AGAIN_MS = (2000, 6000)


def need_of(legs: Iterable[PlannedLeg]) -> int:
    """Return how many bytes a plan's legs will take in Redis when all is sent."""
    return sum(_LEG + sum(len(s) for s in leg.segments) * (RECORD_BYTES + _PLACE) for leg in legs)


class Admission:
    """Decides whether a plan may be published now."""

    def __init__(self, room: Room, alerts: Alerts, legs: Legs, *, clock: Clock) -> None:
        self._room = room
        self._alerts = alerts
        self._legs = legs
        self._clock = clock
        self._needs: dict[str, int] = {}
        self._promised = 0
        self._counted = -_FRESH

    async def admits(self, stored: StoredAlert, legs: Iterable[PlannedLeg] | None = None) -> bool:
        """Whether there is room for a plan; if not, it waits and the alert says so.

        Without ``legs`` what the last look at the alert found is taken: nobody is matched for a plan that cannot be.

        Raises:
            StoreUnavailable: Redis is away.
        """
        need = self._needs.get(stored["id"], 0) if legs is None else need_of(legs)
        partition = self._alerts.keys.of_sender(stored["sender"])
        if await self._fits(stored, partition, need):
            self._needs.pop(stored["id"], None)
            if stored["reason"] == WAITS_FOR_MEMORY:
                await self._room.unpark(stored, partition)
            return True
        self._needs[stored["id"]] = need
        if stored["reason"] != WAITS_FOR_MEMORY:
            log.warning("plan_waits_for_memory", alert=stored["id"], bytes=need)
        pause = random.randint(*_AGAIN_MS)  # noqa: S311 -- only spreads the looks
        await self._room.park(stored, partition, until_ms=int(self._clock.time() * 1000) + pause)
        return False

    async def _fits(self, stored: StoredAlert, partition: Partition, need: int) -> bool:
        if stored.klass in URGENT:
            return True
        space = await self._room.look(partition)
        fits = space.admits(need + await self._promises(), klass=stored.klass)
        if fits:
            self._promised += need
        return fits

    async def _promises(self) -> int:
        """Return what the records of deliveries that nobody has claimed yet will take; counted once a second."""
        now = self._clock.monotonic()
        if now - self._counted >= _FRESH:
            waiting = await self._legs.waiting(list(Kind))
            self._promised = sum(count for count, _ in waiting.values()) * RECORD_BYTES
            self._counted = now
        return self._promised
