"""Single records written without a lease: receipts, answers, sweeps."""

from __future__ import annotations

from dataclasses import dataclass

from relay.fanout.ids import DeliveryRef
from relay.fanout.segment import SEGMENT
from relay.store.chunks import Chunks
from relay.store.legs import Leg
from relay.store.settlement import Settlement
from relay.tracking.recent_legs import FindsLegs
from relay.tracking.states import Record


@dataclass(frozen=True, slots=True)
class Place:
    """A delivery whose leg is known."""

    ref: DeliveryRef
    leg: Leg

    def centi(self, seconds: float) -> int:
        """Return a time as hundredths of a second since the leg was made."""
        return max(0, int((seconds * 1000 - self.leg.cursor.start) / 10))

    def over(self, seconds: float) -> bool:
        """Whether the leg was stopped or has expired by then."""
        return self.leg.cursor.stopped or seconds * 1000 >= self.leg.cursor.expires


class Writes:
    """Writes one record of one delivery through the merge table."""

    def __init__(self, legs: FindsLegs, chunks: Chunks) -> None:
        self._legs = legs
        self._chunks = chunks

    async def leg(self, ref: DeliveryRef) -> Place | None:
        """Return the place of a delivery, or None when there is no such delivery.

        Raises:
            StoreUnavailable: Redis is away.
        """
        leg = await self._legs.get(ref.leg_id)
        if leg is None:
            return None
        number, position = divmod(ref.rank, SEGMENT)
        if number >= len(leg.cursor.sizes) or position >= leg.cursor.sizes[number]:
            return None
        return Place(ref, leg)

    async def write(self, place: Place, record: Record) -> bool:
        """Merge ``record``; False when the leg has gone meanwhile.

        Raises:
            StoreUnavailable: Redis is away; writing again is harmless.
        """
        number, position = divmod(place.ref.rank, SEGMENT)
        leg = place.leg
        settled = await self._chunks.settle(
            Settlement(
                leg_id=leg.leg_id,
                alert_id=leg.facts["alert"],
                lane=leg.lane,
                klass=leg.cursor.klass,
                segment=number,
                size=leg.cursor.sizes[number],
                records={position: record},
            )
        )
        return settled is not None
