"""The engine's stores over a real server, with the few steps that most tests begin with."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from relay.adapter import Class, Kind
from relay.fanout.ids import leg_id
from relay.fanout.segment import Segment
from relay.store.alerts import Alerts
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks, Claimed, Nothing
from relay.store.connection import Connection
from relay.store.cursor import Cursor
from relay.store.keys import Partition
from relay.store.legs import Leg, Legs, NewLeg, Publication
from relay.store.new_alert import NewAlert
from relay.store.settlement import Settled, Settlement
from relay.tracking.states import Record, State

LANE = "sms"


def wall_ms() -> int:
    """Return the time as the server of the same machine sees it."""
    return int(time.time() * 1000)


def an_alert(alert_id: str = "alert", **changes: object) -> NewAlert:
    """Return an alert as intake makes it."""
    made = NewAlert(
        alert_id=alert_id,
        k0=f"k0-{alert_id}",
        k1=f"k1-{alert_id}",
        k2=f"k2-{alert_id}",
        node="node",
        number=1,
        state="accepted",
        reason="",
        msg_type="Alert",
        klass=Class.P1,
        received_ms=wall_ms(),
        expires_ms=wall_ms() + 3_600_000,
        referenced=(),
        raw=b"<alert/>",
        fields={},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class Engine:
    """The stores, and short words for what a plan and a worker do."""

    def __init__(self, redis: Connection, keys: Partition) -> None:
        self.redis = redis
        self.keys = keys
        self.alerts = Alerts(redis, keys)
        self.legs = Legs(redis, keys)
        self.chunks = Chunks(redis, keys)
        self._token = 0

    async def alert(
        self, alert_id: str, legs: Sequence[NewLeg], *, number: int = 0, waits: str = "", recipients: int = 1
    ) -> str:
        """Accept an alert and publish its legs."""
        if number == 0:
            await self.alerts.accept(an_alert(alert_id))
        plan = Publication(legs=legs, recipients=recipients, number=number, waits=waits)
        return await self.legs.publish(alert_id, plan, now_ms=wall_ms())

    async def leg(
        self,
        sizes: Sequence[int],
        *,
        klass: Class = Class.P1,
        alert_id: str = "alert",
        lane: str = LANE,
        expires_in: float = 3600,
    ) -> str:
        """Accept and publish an alert with one leg; returns the leg's id."""
        made = new_leg(sizes, klass=klass, alert_id=alert_id, lane=lane, expires_in=expires_in)
        await self.alert(alert_id, [made])
        return made.leg_id

    async def try_claim(
        self,
        *,
        lane: str = LANE,
        most: int = 500,
        lease_ms: int = 10_000,
        flash_ms: int = 5_000,
        fence_ms: int = 0,
        urgent: bool = False,
    ) -> Claimed:
        """Claim once."""
        self._token += 1
        return await self.chunks.claim(
            lane,
            token=f"token-{self._token}",
            most=most,
            lease_ms=lease_ms,
            flash_ms=flash_ms,
            fence_ms=fence_ms,
            urgent=urgent,
        )

    async def claim(
        self, *, most: int = 500, lease_ms: int = 10_000, flash_ms: int = 5_000, urgent: bool = False
    ) -> Chunk:
        """Claim a chunk; there must be one."""
        claimed = await self.try_claim(most=most, lease_ms=lease_ms, flash_ms=flash_ms, urgent=urgent)
        assert isinstance(claimed.found, Chunk), claimed
        return claimed.found

    async def nothing(self) -> Nothing:
        """Claim; there must be nothing."""
        claimed = await self.try_claim()
        assert isinstance(claimed.found, Nothing), claimed
        return claimed.found

    async def settle(
        self,
        chunk: Chunk,
        records: Mapping[int, Record],
        *,
        alert_id: str = "alert",
        size: int = 0,
        final: bool = True,
        leased: bool = True,
        retry_at: int = 0,
    ) -> Settled:
        """Settle records of a chunk; ``leased`` False: as receipts do, without the lease."""
        settled = await self.chunks.settle(
            Settlement(
                leg_id=chunk.leg_id,
                alert_id=alert_id,
                lane=chunk.lane,
                klass=chunk.klass,
                segment=chunk.segment,
                size=size or chunk.last,
                records=records,
                chunk=chunk if leased else None,
                final=final,
                lease_ms=10_000,
                retry_at=retry_at,
            )
        )
        assert settled is not None
        return settled

    async def known(self, leg: str) -> Leg:
        """Return a leg that must be there."""
        found = await self.legs.get(leg)
        assert found is not None
        return found

    async def counts(self, leg: str) -> dict[State, int]:
        """Return the counts that are not zero."""
        return {state: n for state, n in (await self.known(leg)).counts.items() if n}

    async def state(self, alert_id: str = "alert") -> str:
        """Return an alert's state."""
        return await self.alerts.state(alert_id)


def new_leg(
    sizes: Sequence[int],
    *,
    klass: Class = Class.P1,
    alert_id: str = "alert",
    lane: str = LANE,
    expires_in: float = 3600,
    round_number: int = 0,
) -> NewLeg:
    """Return a leg with segments of ``sizes``."""
    now = wall_ms()
    return NewLeg(
        leg_id=leg_id(alert_id, kind=Kind.SMS, round_number=round_number),
        lane=lane,
        cursor=Cursor(klass=klass, expires=now + expires_in * 1000, start=now, sizes=tuple(sizes)),
        fields={"alert": alert_id, "kind": lane},
    )


def a_segment(count: int, *, number: int = 0, first: int = 0) -> Segment:
    """Return a segment of consecutive ordinals, all with slot 0 and variant 0."""
    return Segment(
        np.arange(first, first + count, dtype=np.uint32), np.zeros(count, np.uint8), np.zeros(count, np.uint16), number
    )
