"""Record: what hand-overs led to goes to Redis, and to whoever must know of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from relay.adapter import Class
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.prepare import Preparer
from relay.fanout.replay import Replay
from relay.fanout.settling import Job, Settling
from relay.store.chunks import Chunks
from relay.store.cursor import STOPPED
from relay.store.receipts import Part
from relay.store.settlement import Settlement
from relay.tracking.receipts import Receipts
from relay.tracking.states import Record, State

_STORE_PAUSE = 0.1
T = TypeVar("T")


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Call until Redis answers: what has left, or may leave next, is not given up because the store is away."""
    while True:
        try:
            return await call()
        except StoreUnavailable:
            await asyncio.sleep(_STORE_PAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Settles the chunks of one worker."""

    chunks: Chunks
    preparer: Preparer
    receipts: Receipts
    replay: Replay
    clock: Clock
    lease_ms: int
    flash_ms: int  # the lease of P0

    async def settle(self, job: Job, settlings: Sequence[Settling], *, final: bool) -> None:
        """Record outcomes; Redis may be away for a while, the outcomes wait for it."""
        facts, work = job.facts, job.work
        records = {p: r for s in settlings for p, r in s.records.items()}
        early = await self._register(job, settlings)
        self._later(job, records.values())
        settlement = Settlement(
            leg_id=facts.leg_id,
            alert_id=facts.alert_id,
            lane=work.chunk.lane,
            klass=facts.klass,
            segment=work.chunk.segment,
            size=facts.sizes[work.chunk.segment],
            records=records,
            chunk=work.chunk,
            final=final,
            lease_ms=self.flash_ms if facts.klass is Class.P0 else self.lease_ms,
            retry_at=work.retry_at,
            check_at=work.check_at,
            log=b"".join(s.log for s in settlings),
        )
        await self._surely(job, settlement)
        opted_out = [p for s in settlings for p in s.opted_out]
        await patiently(lambda: self.preparer.opted_out(job.segment, opted_out))
        told = {address: job.delivery_id(p) for s in settlings for address, p in s.told.items()}
        await patiently(lambda: self.receipts.sent(told))
        for part, receipt in early:
            await patiently(partial(self.receipts.early, part, receipt))

    def _later(self, job: Job, records: Iterable[Record]) -> None:
        """Note when to look again at what is to be retried, and at what is to be confirmed."""
        channels: set[int] = set()
        # Most of a batch are the same record: each is looked at once.
        for record in {id(record): record for record in records}.values():
            if record.state is State.RETRYING:
                job.work.owe(int(job.facts.start_ms + record.due * 10))
            elif record.state is State.ACCEPTED:
                channels.add(record.channel)
        if channels:
            first = min(self.preparer.receipt_deadline(channel) for channel in channels)
            job.work.check_at = int((self.clock.time() + first) * 1000)

    async def _surely(self, job: Job, settlement: Settlement) -> None:
        reply = await patiently(lambda: self.chunks.settle(settlement))
        if reply is None:
            self.replay.owe(settlement, job.segment)
            job.work.stopped.set()
            return
        if settlement.records:
            self.replay.remember(settlement, job.segment)
        if reply.lost or reply.flags & STOPPED:
            job.work.stopped.set()

    async def _register(self, job: Job, settlings: Sequence[Settling]) -> list[tuple[Part, str]]:
        """Make provider ids known before the outcome is, so that a receipt always finds its delivery."""
        early: list[tuple[Part, str]] = []
        for settling in settlings:
            for channel, ids in settling.provider_ids(job).items():
                early += await patiently(partial(self.receipts.register, channel, ids))
        return early
