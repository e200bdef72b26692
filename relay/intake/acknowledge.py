"""Acknowledgements through a link: journalled, so that no answer is lost with Redis."""

from __future__ import annotations

from relay.clock import Clock
from relay.fanout.ids import DeliveryRef
from relay.intake.ledger import Ledger
from relay.intake.records import AckRecord


class Acknowledge:
    """Takes responders' answers."""

    def __init__(self, ledger: Ledger, *, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def acknowledge(self, ref: DeliveryRef, *, answer: int, via: str) -> bool:
        """Record an answer (1–9); False when Redis will be told later.

        Raises:
            JournalUnavailable: the answer was not taken.
        """
        record = AckRecord(delivery_id=str(ref), answer=str(answer), at=self._clock.now(), via=via)
        return await self._ledger.write(record)
