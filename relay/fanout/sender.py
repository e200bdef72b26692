"""Send: hand leased chunks to their channels and settle what it led to, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog

from relay.adapter import Class
from relay.clock import Clock
from relay.fanout.contents import Contents, LegFacts, Vanished
from relay.fanout.flight import Airfield, Flights, Part
from relay.fanout.precedence import Precedence
from relay.fanout.prepare import Group, Preparer
from relay.fanout.recorder import Recorder, Words, patiently
from relay.fanout.replay import Replay
from relay.fanout.retry import RetryPolicy, race
from relay.fanout.selection import INTENT_STEP, STEP, give_up, never_left, select, still_in_doubt
from relay.fanout.settling import Job, Settling, Work
from relay.fanout.step import Step
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


class Sender:
    """Sends chunks; one instance per worker."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._field = Airfield(parts.policy, parts.clock, self._hindrance)

    async def send(self, *works: Work) -> None:
        """Hand over what chunks owe and give their leases back; several small ones of one lane share every step.

        A chunk that cannot be finished keeps its lease until that runs out: nothing is lost, and what may have left
        is in doubt for whoever takes it over.
        """
        klass = min(work.chunk.klass for work in works)
        with self._p.precedence.ahead(klass):
            await patiently(lambda: self._p.contents.fetch([work.chunk for work in works]))
            jobs = [job for work in works if (job := await self._open(work)) is not None]
        if jobs:
            async with asyncio.TaskGroup() as tasks:
                late = await self._steps(jobs, klass, tasks)
                await self._answers(late, tasks)

    async def _open(self, work: Work) -> Job | None:
        """Read what a chunk is; None when nothing of it is to be sent."""
        chunk = work.chunk
        try:
            facts = await patiently(lambda: self._facts(chunk))
            segment = await patiently(lambda: self._p.contents.segment(chunk.leg_id, chunk.segment))
            await patiently(lambda: self._p.replay.repeat(chunk.leg_id))
            records = await patiently(lambda: self._records(work))
        except Vanished:
            log.warning("chunk_left", leg=chunk.leg_id)
            return None
        job = Job(work, facts, segment)
        idempotent = self._p.preparer.idempotent(facts.kind)
        now = facts.centi(self._p.clock.time())
        if chunk.flags & STOPPED or self._expired(facts):
            await self._abandon(job, give_up(records, how=chunk.how, idempotent=idempotent, now=now))
            return None
        job.choose(select(records, how=chunk.how, kind=facts.kind, klass=facts.klass, idempotent=idempotent, now=now))
        for record in records.values():
            if record.state is State.RETRYING and record.due > now:
                work.owe(int(facts.start_ms + record.due * 10))
        return job

    async def _facts(self, chunk: Chunk) -> LegFacts:
        facts = await self._p.contents.facts(chunk.leg_id)
        if facts.start_ms != chunk.start_ms:
            # The leg was lost and planned again: at the same positions may be other people.
            self._p.contents.forget()
            facts = await self._p.contents.facts(chunk.leg_id)
        return facts

    async def _records(self, work: Work) -> dict[int, Record]:
        chunk = work.chunk
        if chunk.how == "fresh" and not work.reread and not chunk.flags & AGAIN:
            return dict.fromkeys(range(chunk.first, chunk.last), Record())
        data = await self._p.legs.records(chunk.leg_id, chunk.segment, first=chunk.first, last=chunk.last)
        cells = [data[i : i + RECORD_BYTES] for i in range(0, len(data), RECORD_BYTES)]
        return {chunk.first + i: Record() if cell == EMPTY else Record.unpack(cell) for i, cell in enumerate(cells)}

    async def _answers(self, late: Flights, tasks: asyncio.TaskGroup) -> None:
        """Settle what slow providers say, as they say it; the lane may go on with other chunks meanwhile."""
        waiting = _jobs(late)
        for job in waiting:
            job.work.park()
        flash = any(job.facts.klass is Class.P0 for job in waiting)
        race_at = self._p.clock.monotonic() + RACE if flash else None
        while late:
            patience = None if race_at is None else max(0.0, race_at - self._p.clock.monotonic())
            done, _ = await asyncio.wait(late, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                race_at = None
                late.update(await self._race(late, tasks))
                continue
            for task in done:
                del late[task]
                for job, settling in task.result():
                    job.told.append(settling)
            still = _jobs(late)
            told = [job for job in waiting if job.told]
            await self._p.recorder.settle(*(Words(job, job.take(), final=job not in still) for job in told))

    async def _race(self, late: Flights, tasks: asyncio.TaskGroup) -> Flights:
        """Hand flash news without an answer to a second provider as well; whoever takes it first counts."""
        racing: list[Part] = []
        for job in _jobs(late):
            if job.facts.klass is Class.P0 and not self._hindrance(job):
                flying = [part for flight in late.values() for part in flight if part.job is job]
                racing += await self._raced(job, flying)
        return self._field.start(racing, tasks)

    async def _raced(self, job: Job, flying: Sequence[Part]) -> Sequence[Part]:
        step = {p: race(part.group.records[p]) for part in flying if part.group.of > 1 for p in part.positions}
        if not step:
            return []
        (prepared,) = await patiently(partial(self._p.preparer.prepare, [self._to_prepare(job, step, frozenset())]))
        groups = [g for g in prepared.groups if all(step[p].channel != g.channel.index for p in g.items)]
        begun = {p: r for group in groups for p, r in group.records.items()}
        for part in flying:
            # Both hand-overs are one now, so that the first answer is not beaten by the second one's silence.
            for position in begun.keys() & set(part.positions):
                sent, again = part.group.records[position], begun[position]
                part.group.records[position] = replace(sent, send=again.send, flags=again.flags)
        await self._p.recorder.settle(Words(job, [Settling(begun)]))
        log.warning("second_provider", leg=job.facts.leg_id, deliveries=len(begun))
        return [Part(job, group, list(group.items), raced=True) for group in groups]

    async def _steps(self, jobs: Sequence[Job], klass: Class, tasks: asyncio.TaskGroup) -> Flights:
        """Go through the chunks step by step; returns hand-overs that were slow and are still under way."""
        kind = jobs[0].facts.kind
        size = STEP if self._p.preparer.idempotent(kind) else INTENT_STEP
        late: Flights = {}
        while jobs:
            await self._p.recorder.settle(*(Words(job, job.take()) for job in jobs if job.told and job.positions))
            await self._p.precedence.give_way(klass)
            # After the settle: its reply is how a sender hears that it may not go on.
            going = [job for job in jobs if not (job.work.stopped.is_set() or self._expired(job.facts))]
            late.update(await self._step(_cut(going, size), klass, tasks))
            over = [job for job in jobs if job not in going or not job.positions]
            await self._finish(over, _jobs(late))
            jobs = [job for job in going if job.positions]
        return late

    async def _finish(self, jobs: Sequence[Job], late: Collection[Job]) -> None:
        """Give chunks back that are through, but for what is still under way."""
        words = []
        for job in jobs:
            self._owe_rest(job)
            if self._p.preparer.unsure(job.facts.kind):
                # Whoever sends them later claims a retry: without this he would not know that they may have left.
                job.told.append(Settling(still_in_doubt(job.chosen, job.started)))
            words.append(Words(job, job.take(), final=job not in late))
        await self._p.recorder.settle(*words)
        for job in jobs:
            if job.is_whole_leg and job not in late and not job.work.retry_at:
                self._p.contents.sent(job.facts.leg_id)

    async def _step(self, steps: Mapping[Job, Mapping[int, Record]], klass: Class, tasks: asyncio.TaskGroup) -> Flights:
        if not steps:
            return {}
        asked = [self._to_prepare(job, step, job.chosen.maybe) for job, step in steps.items()]
        with self._p.precedence.ahead(klass):
            prepared = dict(zip(steps, await patiently(partial(self._p.preparer.prepare, asked)), strict=True))
        for job, found in prepared.items():
            job.started.update(steps[job].keys() - found.not_now)
            job.wait = max(job.wait, found.wait)
            if found.settled:
                job.told.append(Settling(found.settled))
        parts = [Part(job, g, list(g.items)) for job, found in prepared.items() for g in found.groups]
        if intents := [part for part in parts if _intended(part.group)]:
            parts = await self._intend(intents, parts, steps)
        return await self._fly(parts, tasks)

    async def _fly(self, parts: Sequence[Part], tasks: asyncio.TaskGroup) -> Flights:
        """Hand over; returns what has no answer yet, which is written down as begun."""
        flights = self._field.start(parts, tasks)
        if not flights:
            return {}
        done, slow = await asyncio.wait(flights, timeout=SLOW)
        for task in done:
            for job, settling in task.result():
                job.told.append(settling)
        late = {task: flights[task] for task in slow}
        for part in (part for flight in late.values() for part in flight if not _intended(part.group)):
            # If this worker dies now, they are known to be in doubt.
            part.job.told.append(Settling(part.begun))
        return late

    async def _intend(
        self, intents: Sequence[Part], parts: Sequence[Part], steps: Mapping[Job, Mapping[int, Record]]
    ) -> list[Part]:
        """Write down what is about to leave for providers that may not be told twice; returns what may leave still."""
        await self._p.recorder.settle(*(Words(part.job, [Settling(part.begun)]) for part in intents))
        for part in intents:
            if part.job.work.stopped.is_set():
                part.job.told.append(Settling(never_left(part.begun, steps[part.job])))
        for part in parts:
            if part.job.work.stopped.is_set():
                part.job.started.difference_update(part.positions)
        return [part for part in parts if not part.job.work.stopped.is_set()]

    def _to_prepare(self, job: Job, step: Mapping[int, Record], maybe: frozenset[int]) -> Step:
        again = job.facts.again or bool(job.work.chunk.flags & AGAIN)
        return Step(job.facts, job.segment, step, maybe, now=job.facts.centi(self._p.clock.time()), again=again)

    async def _abandon(self, job: Job, doubts: dict[int, Record]) -> None:
        job.work.check_at = self._ms()
        await self._p.recorder.settle(Words(job, [Settling(doubts)], final=True))

    def _owe_rest(self, job: Job) -> None:
        if len(job.started) < len(job.chosen.to_send):
            job.work.owe(self._ms() + int(self._later(job) * 1000))
        if self._expired(job.facts):
            job.work.check_at = self._ms()

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
        return self._ms() >= facts.expires_ms

    def _ms(self) -> int:
        return int(self._p.clock.time() * 1000)


def _cut(jobs: Sequence[Job], size: int) -> dict[Job, dict[int, Record]]:
    """Take the next ``size`` deliveries of ``jobs``, in order."""
    steps: dict[Job, dict[int, Record]] = {}
    for job in jobs:
        if size <= 0:
            break
        if some := job.next(size):
            steps[job] = some
            size -= len(some)
    return steps


def _jobs(flights: Flights) -> dict[Job, None]:
    """Return whose deliveries are under way."""
    return {part.job: None for flight in flights.values() for part in flight}


def _intended(group: Group) -> bool:
    return not group.channel.descriptor.idempotent
