"""Send: hand one leased chunk to its channels and settle what it led to, batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial

import structlog

from relay.adapter import Class, Verdict
from relay.clock import Clock
from relay.fanout.contents import Contents, LegFacts, Vanished
from relay.fanout.precedence import Precedence
from relay.fanout.prepare import Group, Prepared, Preparer
from relay.fanout.recorder import Recorder, patiently
from relay.fanout.replay import Replay
from relay.fanout.retry import Handover, RetryPolicy, doubt, race
from relay.fanout.selection import INTENT_STEP, STEP, Selection, give_up, select
from relay.fanout.settling import TOOK, Job, Settling, Work
from relay.store.chunk import Chunk
from relay.store.cursor import AGAIN, STOPPED
from relay.store.legs import Legs
from relay.tracking.states import EMPTY, RECORD_BYTES, Record, State

log = structlog.get_logger()

#: A hand-over that takes longer is written down as begun, and the chunk goes on without it (design §9).
SLOW = 0.25
#: After this many seconds without an answer, flash news goes through a second provider as well.
RACE = 10.0

#: What could not start (a paused channel, a stop) is looked at again after this many seconds.
_LATER = 1.0
#: What only its channel's rate keeps from starting, at the earliest: before lower classes may use the rate again.
_SOON = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a sender works with."""

    legs: Legs
    contents: Contents
    preparer: Preparer
    recorder: Recorder
    replay: Replay
    policy: RetryPolicy
    precedence: Precedence
    clock: Clock


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch on its way: positions of a group; ``raced``: it went to a second provider as well."""

    group: Group
    positions: Sequence[int]
    raced: bool = False


Answers = asyncio.Task[Settling]


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
            with self._p.precedence.ahead(work.chunk.klass):
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
        # The claim knows more than the leg: after a failover somebody may have sent this, and nobody remembers.
        return replace(facts, again=True) if chunk.flags & AGAIN and not facts.again else facts

    async def _records(self, work: Work) -> dict[int, Record]:
        chunk = work.chunk
        if chunk.how == "fresh" and not work.reread and not chunk.flags & AGAIN:
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
            await self._answers(job, late, tasks)

    async def _answers(self, job: Job, late: dict[Answers, Flight], tasks: asyncio.TaskGroup) -> None:
        """Settle what slow providers say, as they say it; the lane may go on with other chunks meanwhile."""
        if late:
            job.work.park()
        race_at = self._p.clock.monotonic() + RACE if job.facts.klass is Class.P0 else None
        while late:
            patience = None if race_at is None else max(0.0, race_at - self._p.clock.monotonic())
            done, _ = await asyncio.wait(late, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                race_at = None
                late.update(await self._race(job, late, tasks))
                continue
            for task in done:
                del late[task]
            await self._p.recorder.settle(job, [task.result() for task in done], final=not late)

    async def _race(self, job: Job, late: Mapping[Answers, Flight], tasks: asyncio.TaskGroup) -> dict[Answers, Flight]:
        """Hand flash news without an answer to a second provider as well; whoever takes it first counts."""
        step = {p: race(f.group.records[p]) for f in late.values() if f.group.of > 1 for p in f.positions}
        if not step or self._hindrance(job):
            return {}
        prepared = await patiently(partial(self._prepare, job, step, frozenset()))
        groups = [g for g in prepared.groups if all(step[p].channel != g.channel.index for p in g.items)]
        begun = {p: r for group in groups for p, r in group.records.items()}
        for flight in late.values():
            # Both hand-overs are one now, so that the first answer is not beaten by the second one's silence.
            for position in begun.keys() & set(flight.positions):
                sent = flight.group.records[position]
                again = begun[position]
                flight.group.records[position] = replace(sent, send=again.send, flags=again.flags)
        await self._p.recorder.settle(job, [Settling(begun)], final=False)
        log.warning("second_provider", leg=job.facts.leg_id, deliveries=len(begun))
        return self._start(job, groups, tasks, raced=True)

    async def _steps(
        self, job: Job, chosen: Selection, tasks: asyncio.TaskGroup, *, size: int
    ) -> dict[Answers, Flight]:
        """Go through the chunk step by step; returns hand-overs that were slow and are still under way."""
        positions = list(chosen.to_send)
        late: dict[Answers, Flight] = {}
        settled = [Settling(dict(chosen.settled))] if chosen.settled else []
        for start in range(0, len(positions), size):
            if settled:
                await self._p.recorder.settle(job, settled, final=False)
                settled = []
            await self._p.precedence.give_way(job.facts.klass)
            # After the settle: its reply is how a sender hears that it may not go on.
            if job.work.stopped.is_set() or self._expired(job.facts):
                break
            step = {p: chosen.to_send[p] for p in positions[start : start + size]}
            settled, slow = await self._step(job, step, chosen.maybe, tasks)
            late.update(slow)
        self._owe_rest(job, positions)
        if self._p.preparer.unsure(job.facts.kind):
            # Whoever sends them later claims a retry: without this he would not know that they may have left already.
            settled.append(Settling(_still_in_doubt(chosen, job.started)))
        await self._p.recorder.settle(job, settled, final=not late)
        return late

    async def _step(
        self, job: Job, step: Mapping[int, Record], maybe: frozenset[int], tasks: asyncio.TaskGroup
    ) -> tuple[list[Settling], dict[Answers, Flight]]:
        with self._p.precedence.ahead(job.facts.klass):
            prepared = await patiently(partial(self._prepare, job, step, maybe))
        job.started.update(step.keys() - prepared.not_now)
        job.wait = max(job.wait, prepared.wait)
        intents = {p: r for g in prepared.groups if _intended(g) for p, r in g.records.items()}
        if intents:
            await self._p.recorder.settle(job, [Settling(intents)], final=False)
            if job.work.stopped.is_set():
                job.started -= {p for g in prepared.groups for p in g.records}
                return [Settling({**prepared.settled, **_never_left(intents, step)})], {}
        flights = self._start(job, prepared.groups, tasks)
        if not flights:
            return [Settling(prepared.settled)], {}
        done, slow = await asyncio.wait(flights, timeout=SLOW)
        settled = [Settling(prepared.settled), *(task.result() for task in done)]
        late = {task: flights[task] for task in slow}
        # Slow ones are written down as begun: if this worker dies now, they are known to be in doubt.
        begun = {p: f.group.records[p] for f in late.values() if not _intended(f.group) for p in f.positions}
        return [*settled, Settling(begun)], late

    async def _prepare(self, job: Job, step: Mapping[int, Record], maybe: frozenset[int]) -> Prepared:
        return await self._p.preparer.prepare(job.facts, job.segment, step, maybe, now=self._now(job.facts))

    def _start(
        self, job: Job, groups: Sequence[Group], tasks: asyncio.TaskGroup, *, raced: bool = False
    ) -> dict[Answers, Flight]:
        """Begin the hand-overs of ``groups``, in batches that their channels take."""
        flights: dict[Answers, Flight] = {}
        for group in groups:
            most = group.channel.descriptor.max_batch
            positions = list(group.items)
            for start in range(0, len(positions), most):
                flight = Flight(group, positions[start : start + most], raced)
                flights[tasks.create_task(self._hand_over(job, flight))] = flight
        return flights

    async def _hand_over(self, job: Job, flight: Flight) -> Settling:
        group, facts = flight.group, job.facts
        batch = [group.items[p] for p in flight.positions]
        hindrance = partial(self._hindrance, job)
        for item in batch:
            item.hindrance = hindrance
        outcomes = await group.channel.send(batch, hindrance=hindrance)
        how = Handover(
            kind=facts.kind,
            klass=facts.klass,
            idempotent=group.channel.descriptor.idempotent,
            channel=group.channel.index,
            now=self._now(facts),
            expires=int((facts.expires_ms - facts.start_ms) / 10),
            place=group.place,
            of=group.of,
        )
        settling = Settling({})
        for position, outcome in zip(flight.positions, outcomes, strict=True):
            # A second provider's failure says nothing: the first one may still take it.
            if outcome.verdict in TOOK or not flight.raced:
                settling.add(position, outcome, group, how, self._p.policy)
            elif outcome.verdict is Verdict.UNKNOWN:
                # ... but its silence does: it may have told him, whatever becomes of the first.
                settling.records[position] = doubt(group.records[position])
        return settling

    async def _abandon(self, job: Job, records: Mapping[int, Record]) -> None:
        idempotent = self._p.preparer.idempotent(job.facts.kind)
        doubts = give_up(records, how=job.work.chunk.how, idempotent=idempotent, now=self._now(job.facts))
        job.work.check_at = self._p_ms()
        await self._p.recorder.settle(job, [Settling(doubts)], final=True)

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


def _still_in_doubt(chosen: Selection, started: AbstractSet[int]) -> dict[int, Record]:
    """Return what a dead worker may have handed over and what could not start here: due at once, and in doubt."""
    put_off = sorted(chosen.maybe - started)
    return {p: replace(doubt(chosen.to_send[p]), state=State.RETRYING, due=1) for p in put_off}


def _never_left(intents: Mapping[int, Record], step: Mapping[int, Record]) -> dict[int, Record]:
    """Take back intents whose hand-over was stopped before it began: tried again later, or read as the leg's end."""
    return {p: replace(r, state=State.RETRYING, due=1, attempt=step[p].attempt) for p, r in intents.items()}
