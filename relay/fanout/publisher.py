"""The publisher: the legs of a plan become claimable, all at once (design §9)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from relay.cap.model import Alert
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.bell import Bells
from relay.fanout.plan import PlannedLeg
from relay.store.alerts import StoredAlert
from relay.store.cursor import AGAIN, Cursor
from relay.store.legs import Legs, NewLeg, Publication

log = structlog.get_logger()

#: Legs of this many deliveries together are packed in the event loop, and travel with what publishes them.
FEW = 8000


@dataclass(frozen=True, slots=True)
class Small:
    """The plan of a small alert: its legs, and how many people they are for."""

    stored: StoredAlert
    alert: Alert
    legs: Sequence[PlannedLeg]
    recipients: int


@dataclass(frozen=True, slots=True)
class Published:
    """A leg that became claimable: the plan it is of, the leg, and its cursor."""

    plan: Small
    leg: PlannedLeg
    cursor: Cursor


class Publisher:
    """Publishes legs; the segments of large ones are written first."""

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
        now, token = int(self._clock.time() * 1000), ""
        if sum(leg.total for leg in legs) > FEW:
            token = secrets.token_hex(8)
            for leg in legs:
                await self._legs.stage_segments(leg.leg_id, await asyncio.to_thread(leg.pack), token=token)
        plan = Publication(
            legs=[_new_leg(stored, leg, now, token) for leg in legs],
            recipients=recipients,
            number=number,
            waits=waits,
            reason="no_recipients",
        )
        state = await self._legs.publish(stored["id"], plan, now_ms=now)
        if state == "lost":
            raise StoreUnavailable("the plan's segments were lost before it was published")
        log.info("planned", alert=stored["id"], state=state, legs=len(legs), recipients=recipients)
        self._ring(legs)
        return state

    async def publish_small(self, plans: Sequence[Small]) -> tuple[Sequence[Published], Sequence[str]]:
        """Publish the first passes of small alerts together.

        Returns the legs that became claimable, and the ids of alerts whose server did not answer: plan them again.

        Raises:
            StoreUnavailable: Redis is away.
        """
        now = int(self._clock.time() * 1000)
        publications = {
            small.stored["id"]: Publication(
                legs=[_new_leg(small.stored, leg, now, "") for leg in small.legs],
                recipients=small.recipients,
                reason="no_recipients",
            )
            for small in plans
        }
        states = await self._legs.publish_many(publications, now_ms=now)
        log.info("planned_together", alerts=list(states), legs=sum(len(small.legs) for small in plans))
        self._ring([leg for small in plans for leg in small.legs])
        published = [
            Published(small, leg, new.cursor)
            for small in plans
            if states.get(small.stored["id"]) == "active"
            for leg, new in zip(small.legs, publications[small.stored["id"]].legs, strict=True)
        ]
        return published, [alert_id for alert_id in publications if alert_id not in states]

    def _ring(self, legs: Sequence[PlannedLeg]) -> None:
        for leg in legs:
            self._bells.ring(leg.kind, leg=leg.leg_id)


def _new_leg(stored: StoredAlert, leg: PlannedLeg, now_ms: int, token: str) -> NewLeg:
    # Each field is kept for every leg: what others say already is left out.
    others = {"variants_of": leg.variants_of} if leg.variants_of != stored["id"] else {}
    return NewLeg(
        leg_id=leg.leg_id,
        lane=leg.kind,
        cursor=Cursor(
            klass=leg.klass,
            flags=AGAIN if stored["again"] else 0,
            expires=leg.expires.timestamp() * 1000,
            start=now_ms,
            sizes=tuple(len(segment) for segment in leg.segments),
            people=leg.people,
        ),
        fields={"alert": stored["id"], "kind": leg.kind, **others},
        staged=token,
        segments=() if token else leg.pack(),
    )
