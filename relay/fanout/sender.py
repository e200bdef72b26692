"""Send: hand one leased chunk to its channels and settle what it led to, batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import structlog

from relay.adapter import Class
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.contents import Contents, LegFacts, Vanished
from relay.fanout.prepare import Group, Preparer
from relay.fanout.replay import Replay
from relay.fanout.retry import Handover, RetryPolicy
from relay.fanout.selection import INTENT_STEP, STEP, Selection, give_up, select
from relay.fanout.settling import Job, Settling, Work
from relay.store.chunks import Chunk, Chunks, Settlement
from relay.store.cursor import STOPPED
from relay.store.legs import Legs
from relay.store.receipts import Part
from relay.tracking.receipts import Receipts
from relay.tracking.states import EMPTY, RECORD_BYTES, Record, State

log = structlog.get_logger()

#: A hand-over that takes longer is written down as begun, and the chunk goes on without it (design §9).
SLOW = 0.25
_STORE_PAUSE = 0.1
T = TypeVar("T")

#: What could not start (a paused channel, a stop) is looked at again after this many seconds.
_LATER = 1.0
#: What only its channel's rate keeps from starting, at the earliest: before lower classes may use the rate again.
_SOON = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a sender works with."""

    chunks: Chunks
    legs: Legs
    contents: Contents
    preparer: Preparer
    receipts: Receipts
    replay: Replay
    policy: RetryPolicy
    clock: Clock
    lease_ms: int
    flash_ms: int  # the lease of P0


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Call until Redis answers: what has left, or may leave next, is not given up because the store is away."""
    while True:
        try:
            return await call()
        except StoreUnavailable:
            await asyncio.sleep(_STORE_PAUSE)


class Sender:
    """Sends chunks; one instance per worker."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts

    async def send(self, work: Work) -> None:
        """Hand over what the chunk owes and give the lease back.

        A chunk that cannot be finished keeps its lease until that runs out: nothing is lost, and what may have left
        is in doubt for whoever takes it over.
        """
        try:
            facts = await patiently(lambda: self._facts(work.chunk))
            segment = await patiently(lambda: self._p.contents.segment(work.chunk.leg_id, work.chunk.segment))
            await patiently(lambda: self._p.replay.repeat(work.chunk.leg_id))
            records = await patiently(lambda: self._records(work))
        except Vanished:
            log.warning("chunk_left", leg=work.chunk.leg_id)
            return
        await self._send(Job(work, facts, segment), records)

    async def _facts(self, chunk: Chunk) -> LegFacts:
        facts = await self._p.contents.facts(chunk.leg_id)
        if facts.start_ms != chunk.start_ms:
            # The leg was lost and planned again: at the same positions may be other people.
            self._p.contents.forget()
            facts = await self._p.contents.facts(chunk.leg_id)
        return facts

    async def _records(self, work: Work) -> dict[int, Record]:
        chunk = work.chunk
        if chunk.how == "fresh" and not work.reread:
            return dict.fromkeys(range(chunk.first, chunk.last), Record())
        data = await self._p.legs.records(chunk.leg_id, chunk.segment, first=chunk.first, last=chunk.last)
        cells = [data[i : i + RECORD_BYTES] for i in range(0, len(data), RECORD_BYTES)]
        return {chunk.first + i: Record() if cell == EMPTY else Record.unpack(cell) for i, cell in enumerate(cells)}

    async def _send(self, job: Job, records: Mapping[int, Record]) -> None:
        work, facts = job.work, job.facts
        idempotent = self._p.preparer.idempotent(facts.kind)
        now = self._now(facts)
        if work.chunk.flags & STOPPED or self._expired(facts):
            await self._abandon(job, records)
            return
        chosen = select(records, how=work.chunk.how, kind=facts.kind, klass=facts.klass, idempotent=idempotent, now=now)
        for record in records.values():
            if record.state is State.RETRYING and record.due > now:
                work.owe(self._at_ms(facts, record.due))
        async with asyncio.TaskGroup() as tasks:
            late = await self._steps(job, chosen, tasks, size=STEP if idempotent else INTENT_STEP)
            while late:
                done, late = await asyncio.wait(late, return_when=asyncio.FIRST_COMPLETED)
                await self._settle(job, [task.result() for task in done], final=not late)

    async def _steps(
        self, job: Job, chosen: Selection, tasks: asyncio.TaskGroup, *, size: int
    ) -> set[asyncio.Task[Settling]]:
        """Go through the chunk step by step; returns hand-overs that were slow and are still under way."""
        positions = list(chosen.to_send)
        late: set[asyncio.Task[Settling]] = set()
        settled = [Settling(dict(chosen.settled))] if chosen.settled else []
        for start in range(0, len(positions), size):
            if settled:
                await self._settle(job, settled, final=False)
                settled = []
            # After the settle: its reply is how a sender hears that it may not go on.
            if job.work.stopped.is_set() or self._expired(job.facts):
                break
            step = {p: chosen.to_send[p] for p in positions[start : start + size]}
            settled, slow = await self._step(job, step, chosen.maybe, tasks)
            late |= slow
        self._owe_rest(job, positions)
        await self._settle(job, settled, final=not late)
        return late

    async def _step(
        self, job: Job, step: Mapping[int, Record], maybe: frozenset[int], tasks: asyncio.TaskGroup
    ) -> tuple[list[Settling], set[asyncio.Task[Settling]]]:
        prepared = await patiently(
            lambda: self._p.preparer.prepare(job.facts, job.segment, step, maybe, now=self._now(job.facts))
        )
        job.started.update(step.keys() - prepared.not_now)
        job.wait = max(job.wait, prepared.wait)
        intents = {p: r for g in prepared.groups if not g.channel.descriptor.idempotent for p, r in g.records.items()}
        if intents:
            await self._settle(job, [Settling(intents)], final=False)
            if job.work.stopped.is_set():
                job.started -= {p for g in prepared.groups for p in g.records}
                return [Settling({**prepared.settled, **_never_left(intents, step)})], set()
        running = {tasks.create_task(self._hand_over(job, group)): group for group in prepared.groups}
        if not running:
            return [Settling(prepared.settled)], set()
        done, slow = await asyncio.wait(running, timeout=SLOW)
        settled = [Settling(prepared.settled), *(task.result() for task in done)]
        # Slow ones are written down as begun: if this worker dies now, they are known to be in doubt.
        begun = {p: r for task in slow if not _intended(running[task]) for p, r in running[task].records.items()}
        return [*settled, Settling(begun)], slow

    async def _hand_over(self, job: Job, group: Group) -> Settling:
        channel, facts = group.channel, job.facts
        most = channel.descriptor.max_batch
        positions = list(group.items)
        cuts = [positions[i : i + most] for i in range(0, len(positions), most)]
        async with asyncio.TaskGroup() as tasks:
            sends = [
                tasks.create_task(channel.send([group.items[p] for p in cut], hindrance=partial(self._hindrance, job)))
                for cut in cuts
            ]
        settling = Settling({})
        how = Handover(
            kind=facts.kind,
            klass=facts.klass,
            idempotent=channel.descriptor.idempotent,
            channel=channel.index,
            now=self._now(facts),
            expires=int((facts.expires_ms - facts.start_ms) / 10),
        )
        for cut, send in zip(cuts, sends, strict=True):
            for position, outcome in zip(cut, send.result(), strict=True):
                settling.add(position, outcome, group, how, self._p.policy)
        return settling

    async def _settle(self, job: Job, settlings: Sequence[Settling], *, final: bool) -> None:
        """Record outcomes; Redis may be away for a while, the outcomes wait for it."""
        facts, work = job.facts, job.work
        records = {p: r for s in settlings for p, r in s.records.items()}
        early = await self._register(job, settlings)
        for record in records.values():
            if record.state is State.RETRYING:
                work.owe(self._at_ms(facts, record.due))
            elif record.state is State.ACCEPTED:
                deadline = self._p.preparer.receipt_deadline(record.channel)
                work.check_at = self._p_ms() + int(deadline * 1000)
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
            lease_ms=self._p.flash_ms if facts.klass is Class.P0 else self._p.lease_ms,
            retry_at=work.retry_at,
            check_at=work.check_at,
            log=b"".join(entry.pack() for s in settlings for entry in s.log),
        )
        await self._surely(job, settlement)
        opted_out = [p for s in settlings for p in s.opted_out]
        await patiently(lambda: self._p.preparer.opted_out(job.segment, opted_out))
        told = {address: job.delivery_id(p) for s in settlings for address, p in s.told.items()}
        await patiently(lambda: self._p.receipts.sent(told))
        for part, receipt in early:
            await patiently(partial(self._p.receipts.early, part, receipt))

    async def _surely(self, job: Job, settlement: Settlement) -> None:
        reply = await patiently(lambda: self._p.chunks.settle(settlement))
        if reply is None:
            self._p.replay.owe(settlement, job.segment)
            job.work.stopped.set()
            return
        if settlement.records:
            self._p.replay.remember(settlement, job.segment)
        if reply.lost or reply.flags & STOPPED:
            job.work.stopped.set()

    async def _register(self, job: Job, settlings: Sequence[Settling]) -> list[tuple[Part, str]]:
        """Make provider ids known before the outcome is, so that a receipt always finds its delivery."""
        early: list[tuple[Part, str]] = []
        for settling in settlings:
            for channel, ids in settling.provider_ids(job).items():
                early += await patiently(partial(self._p.receipts.register, channel, ids))
        return early

    async def _abandon(self, job: Job, records: Mapping[int, Record]) -> None:
        idempotent = self._p.preparer.idempotent(job.facts.kind)
        doubts = give_up(records, how=job.work.chunk.how, idempotent=idempotent, now=self._now(job.facts))
        job.work.check_at = self._p_ms()
        await self._settle(job, [Settling(doubts)], final=True)

    def _owe_rest(self, job: Job, positions: Sequence[int]) -> None:
        if len(job.started) < len(positions):
            job.work.owe(self._p_ms() + int(self._later(job) * 1000))
        if self._expired(job.facts):
            job.work.check_at = self._p_ms()

    @staticmethod
    def _later(job: Job) -> float:
        """Return when to look again at what could not start."""
        if job.wait and job.facts.klass in (Class.P0, Class.P1):
            return _SOON
        return min(max(job.wait, _SOON), _LATER) if job.wait else _LATER

    def _hindrance(self, job: Job) -> str:
        """Return why nothing more may leave: time has passed since the chunk was claimed, perhaps without Redis."""
        if self._expired(job.facts):
            return "alert_expired"
        return "stopped" if job.work.stopped.is_set() or self._p.preparer.gate.stopped else ""

    def _expired(self, facts: LegFacts) -> bool:
        return self._p_ms() >= facts.expires_ms

    def _p_ms(self) -> int:
        return int(self._p.clock.time() * 1000)

    def _now(self, facts: LegFacts) -> int:
        return max(0, int((self._p.clock.time() * 1000 - facts.start_ms) / 10))

    @staticmethod
    def _at_ms(facts: LegFacts, centi: int) -> int:
        return int(facts.start_ms + centi * 10)


def _intended(group: Group) -> bool:
    return not group.channel.descriptor.idempotent


def _never_left(intents: Mapping[int, Record], step: Mapping[int, Record]) -> dict[int, Record]:
    """Take back intents whose hand-over was stopped before it began: tried again later, or read as the leg's end."""
    return {p: replace(r, state=State.RETRYING, due=1, attempt=step[p].attempt) for p, r in intents.items()}
