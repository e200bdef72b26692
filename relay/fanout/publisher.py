"""The publisher: the legs of a plan become claimable, all at once (design §9)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.bell import Bells
from relay.fanout.plan import PlannedLeg
from relay.store.alerts import StoredAlert
from relay.store.cursor import AGAIN, Cursor
from relay.store.legs import Legs, NewLeg, Publication

log = structlog.get_logger()

#: Legs of this many deliveries together are packed in the event loop: a thread would cost more.
_FEW = 8000


class Publisher:
    """Writes segments, then publishes the legs that stand on them."""

    def __init__(self, legs: Legs, bells: Bells, *, clock: Clock) -> None:
        self._legs = legs
        self._bells = bells
        self._clock = clock

    async def publish(
        self, stored: StoredAlert, legs: Sequence[PlannedLeg], recipients: int, *, number: int = 0, waits: str = ""
    ) -> str:
        """Publish pass ``number`` of an alert's plan, for so many people; returns the alert's state afterwards.

        ``waits`` says what a further pass must look at (empty: nothing).

        Raises:
            StoreUnavailable: Redis is away, or lost what was written; plan again.
        """
        now, token = int(self._clock.time() * 1000), secrets.token_hex(8)
        few = sum(len(segment) for leg in legs for segment in leg.segments) <= _FEW
        for leg in legs:
            packed = leg.pack() if few else await asyncio.to_thread(leg.pack)
            await self._legs.stage_segments(leg.leg_id, packed, token=token)
        state = await self._legs.publish(
            stored["id"],
            Publication(
                legs=[_new_leg(stored, leg, now, token) for leg in legs],
                recipients=recipients,
                number=number,
                waits=waits,
                reason="no_recipients",
            ),
            now_ms=now,
        )
        if state == "lost":
            raise StoreUnavailable("the plan's segments were lost before it was published")
        log.info("planned", alert=stored["id"], state=state, legs=len(legs), recipients=recipients)
        for leg in legs:
            self._bells.ring(leg.kind, leg=leg.leg_id)
        return state


def _new_leg(stored: StoredAlert, leg: PlannedLeg, now_ms: int, token: str) -> NewLeg:
    return NewLeg(
        leg_id=leg.leg_id,
        lane=leg.kind,
        cursor=Cursor(
            klass=leg.klass,
            flags=AGAIN if stored["again"] else 0,
            expires=leg.expires.timestamp() * 1000,
            start=now_ms,
            sizes=tuple(len(segment) for segment in leg.segments),
        ),
        fields={
            "alert": stored["id"],
            "kind": leg.kind,
            "round": str(leg.round_number),
            "variants_of": leg.variants_of,
            "class": leg.klass,
        },
        staged=token,
    )
