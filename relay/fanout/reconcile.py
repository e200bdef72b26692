"""Reconcile: each record of a leg is final, or somebody looks after it; legs that ended are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.bell import CHECKS, Bells
from relay.fanout.channels import Channels
from relay.fanout.coverage import NEVER, Range, in_doubt, orphans, overdue, receipts_due, states_of
from relay.fanout.retry import doubt, ended
from relay.settings import Engine
from relay.store.chunks import Chunks
from relay.store.cursor import AGAIN
from relay.store.legs import Leg, Legs
from relay.store.settlement import Settlement
from relay.tracking.reasons import reason_of
from relay.tracking.states import RECORD_BYTES, Record, State

log = structlog.get_logger()

_AT_ONCE = 16
_SOON_MS = 250
#: A leg that came back after a loss is not closed sooner than this after it was planned: workers tell who was told.
_YOUNG_MS = 3000
_OFTEN, _SELDOM = 0.3, 4.8


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at a leg found; ``receipt_ms`` is when the first receipt that is waited for should be there."""

    open: int
    accepted: int
    receipt_ms: int


class Reconciler:
    """Looks at legs when they are due: after a stop, at expiry, at a receipt deadline, and now and then."""

    def __init__(
        self, legs: Legs, chunks: Chunks, channels: Channels, bells: Bells, *, engine: Engine, clock: Clock
    ) -> None:
        self._legs = legs
        self._chunks = chunks
        self._channels = channels
        self._bells = bells
        self._engine = engine
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until ``stopping``; seldom when there was nothing for a while and nothing happens in this worker."""
        rest = _OFTEN
        while not stopping.is_set():
            try:
                due = await self._legs.take_checks(put_off_ms=5000, most=_AT_ONCE)
                for leg_id in due:
                    await self.look(leg_id)
            except StoreUnavailable:
                due = []
            rest = _OFTEN if due else min(rest * 2, _SELDOM)
            if await self._bells.wait(CHECKS, seconds=0.05 if due else rest):
                rest = _OFTEN
                await asyncio.sleep(0.05)  # a stopped leg ends with many chunks at once

    async def look(self, leg_id: str) -> None:
        """Bring one leg as far as it can go now, and say when to look again.

        Raises:
            StoreUnavailable: Redis is away; the leg is looked at again.
        """
        leg = await self._legs.get(leg_id)
        if leg is None:
            await self._legs.check_again(leg_id, at_ms=0)
            return
        seen = await self._sweep(leg)
        now = self._ms()
        if leg.cursor.stopped or now >= leg.cursor.expires:
            if leg.cursor.flags & AGAIN and now < leg.cursor.start + _YOUNG_MS:
                await self._legs.check_again(leg_id, at_ms=int(leg.cursor.start) + _YOUNG_MS)
                return
            word = await self._legs.close(leg_id, leg.facts["alert"], _rest(leg))
            # Running: this machine's clock is a little ahead of the server's.
            if word in ("leased", "running"):
                await self._legs.check_again(leg_id, at_ms=now + _SOON_MS)
                return
        await self._legs.check_again(leg_id, at_ms=self._next(leg, seen, now))

    def _next(self, leg: Leg, seen: _Seen, now: int) -> int:
        if seen.open == 0 and seen.accepted == 0:
            return 0
        times = [now + int(self._engine.reconcile * 1000)]
        if now < leg.cursor.expires and not leg.cursor.stopped:
            times.append(int(leg.cursor.expires))
        if seen.accepted:
            # Not before: while a million wait for receipts, each look reads all their records.
            times.append(max(now + 1000, seen.receipt_ms))
        return min(times)

    async def _sweep(self, leg: Leg) -> _Seen:
        leased, retrying = await self._legs.covered(leg)
        covered = [Range.of(member) for member in (*leased, *retrying)]
        lost: list[Range] = []
        unseen = accepted = 0
        receipt = NEVER
        for number, size in enumerate(leg.cursor.sizes):
            data = await self._legs.records(leg.leg_id, number, first=0, last=size)
            states = states_of(data, size)
            lost += orphans(number, states, leg.cursor, covered)
            done, soonest = await self._confirm(leg, number, size, data)
            receipt = min(receipt, soonest)
            if leg.closed is None and (leg.cursor.stopped or self._ms() >= leg.cursor.expires):
                await self._possibly_sent(leg, number, data, in_doubt(data, size))
            accepted += int((states == State.ACCEPTED).sum()) - done
            unseen += int((states < State.ACCEPTED).sum())
        if lost and not leg.cursor.stopped:
            log.warning("orphans_found", leg=leg.leg_id, ranges=len(lost))
            await self._legs.queue_again(leg, [(r.segment, r.first, r.last) for r in lost], at_ms=self._ms())
        elif lost:
            await self._doubts(leg, lost)
        return _Seen(unseen if leg.closed is None else 0, accepted, int(leg.cursor.start) + 10 * receipt)

    async def _confirm(self, leg: Leg, number: int, size: int, data: bytes) -> tuple[int, int]:
        """End accepted deliveries whose receipt deadline has passed; returns how many, and when the next one does."""
        now = max(0, int((self._ms() - leg.cursor.start) / 10))
        deadlines = [(c.index, int(c.receipt_deadline * 100)) for c in self._channels]
        due = receipts_due(data, size, deadlines=deadlines)
        late = overdue(due, now=now)
        records = {p: Record.unpack(data[p * RECORD_BYTES : (p + 1) * RECORD_BYTES]) for p in late}
        done = {p: ended(r, State.DELIVERED_UNCONFIRMED, reason="no_receipt", now=now) for p, r in records.items()}
        if done:
            await self._settle(leg, number, done)
        return len(done), int(due[due > now].min(initial=NEVER))

    async def _doubts(self, leg: Leg, lost: list[Range]) -> None:
        """In a stopped leg, what was being sent when its worker died was possibly sent."""
        now = max(0, int((self._ms() - leg.cursor.start) / 10))
        for part in lost:
            data = await self._legs.records(leg.leg_id, part.segment, first=part.first, last=part.last)
            cells = [data[i : i + RECORD_BYTES] for i in range(0, len(data), RECORD_BYTES)]
            records = {part.first + i: Record.unpack(cell) for i, cell in enumerate(cells)}
            doubts = {
                p: ended(doubt(r), State.POSSIBLY_SENT, reason="worker_lost", now=now)
                for p, r in records.items()
                if r.state is State.SENDING
            }
            if doubts:
                await self._settle(leg, part.segment, doubts)

    async def _possibly_sent(self, leg: Leg, number: int, data: bytes, positions: Sequence[int]) -> None:
        """End what would be tried again in a leg that ends: it may have arrived, so it is not merely cancelled."""
        now = max(0, int((self._ms() - leg.cursor.start) / 10))
        records = {p: Record.unpack(data[p * RECORD_BYTES : (p + 1) * RECORD_BYTES]) for p in positions}
        ends = {p: ended(r, State.POSSIBLY_SENT, reason=reason_of(r.reason), now=now) for p, r in records.items()}
        if ends:
            await self._settle(leg, number, ends)

    async def _settle(self, leg: Leg, number: int, records: dict[int, Record]) -> None:
        base = Settlement(
            leg_id=leg.leg_id,
            alert_id=leg.facts["alert"],
            lane=leg.lane,
            klass=leg.cursor.klass,
            segment=number,
            size=leg.cursor.sizes[number],
            records={},
        )
        positions = sorted(records)
        for start in range(0, len(positions), 256):
            part = {p: records[p] for p in positions[start : start + 256]}
            await self._chunks.settle(replace(base, records=part))

    def _ms(self) -> int:
        return int(self._clock.time() * 1000)


def _rest(leg: Leg) -> State:
    """Return how waiting deliveries of a stopped leg are read."""
    return State.CANCELLED if leg.cursor.flags & 3 else State.EXPIRED
