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
from relay.store.settlement import Settled, Settlement
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


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be recorded of one chunk; ``final``: its lease is given back."""

    job: Job
    settlings: Sequence[Settling]
    final: bool = False


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

    async def settle(self, *words: Words) -> None:
        """Record outcomes of chunks; Redis may be away for a while, the outcomes wait for it."""
        early = await self._register(words)
        await self._surely([(word, self._settlement(word)) for word in words])
        told: dict[str, str] = {}
        for word in words:
            for settling in word.settlings:
                if settling.opted_out:
                    await patiently(partial(self.preparer.opted_out, word.job.segment, settling.opted_out))
                told.update((address, word.job.delivery_id(p)) for address, p in settling.told.items())
        if told:
            await patiently(lambda: self.receipts.sent(told))
        for part, receipt in early:
            await patiently(partial(self.receipts.early, part, receipt))

    def _settlement(self, word: Words) -> Settlement:
        job, facts, work = word.job, word.job.facts, word.job.work
        records = {p: r for s in word.settlings for p, r in s.records.items()}
        self._later(job, records.values())
        return Settlement(
            leg_id=facts.leg_id,
            alert_id=facts.alert_id,
            lane=work.chunk.lane,
            klass=facts.klass,
            segment=work.chunk.segment,
            size=facts.sizes[work.chunk.segment],
            records=records,
            chunk=work.chunk,
            final=word.final,
            lease_ms=self.flash_ms if facts.klass is Class.P0 else self.lease_ms,
            retry_at=work.retry_at,
            check_at=work.check_at,
            log=b"".join(s.log for s in word.settlings),
        )

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

    async def _surely(self, settlements: Sequence[tuple[Words, Settlement]]) -> None:
        """Settle until the servers of all have answered."""
        waiting = settlements
        while waiting:
            replies = await patiently(partial(self.chunks.settle_many, [settlement for _, settlement in waiting]))
            away = []
            for (word, settlement), reply in zip(waiting, replies, strict=True):
                if isinstance(reply, StoreUnavailable):
                    away.append((word, settlement))
                else:
                    self._heard(word.job, settlement, reply)
            waiting = away
            if away:
                await asyncio.sleep(_STORE_PAUSE)

    def _heard(self, job: Job, settlement: Settlement, reply: Settled | None) -> None:
        if reply is None:
            self.replay.owe(settlement, job.segment)
            job.work.stopped.set()
            return
        if settlement.records:
            self.replay.remember(settlement, job.segment)
        if reply.lost or reply.flags & STOPPED:
            job.work.stopped.set()

    async def _register(self, words: Sequence[Words]) -> list[tuple[Part, str]]:
        """Make provider ids known before the outcome is, so that a receipt always finds its delivery."""
        known: dict[str, dict[str, Part]] = {}
        for word in words:
            for settling in word.settlings:
                for channel, ids in settling.provider_ids(word.job).items() if settling.accepted else ():
                    known.setdefault(channel, {}).update(ids)
        early: list[tuple[Part, str]] = []
        for channel, ids in known.items():
            early += await patiently(partial(self.receipts.register, channel, ids))
        return early
