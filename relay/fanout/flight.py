"""Flights: batches on their way to a provider, of one chunk or of several small ones, and what they led to."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from relay.adapter import Outcome, Verdict
from relay.clock import Clock
from relay.fanout.channels import OpenChannel
from relay.fanout.prepare import Group
from relay.fanout.retry import Handover, RetryPolicy, doubt
from relay.fanout.settling import TOOK, Job, Settling
from relay.tracking.states import Record


@dataclass(frozen=True, slots=True)
class Part:
    """What a flight takes of a chunk: positions of a group; ``raced``: it goes to a second provider as well."""

    job: Job
    group: Group
    positions: Sequence[int]
    raced: bool = False

    @property
    def begun(self) -> dict[int, Record]:
        """The records of the hand-over."""
        return {p: self.group.records[p] for p in self.positions}


Flight = Sequence[Part]
Landed = Sequence[tuple[Job, Settling]]
#: Hand-overs that are under way, with what they carry.
Flights = dict[asyncio.Task[Landed], Flight]


class Airfield:
    """Hands batches over to their channels."""

    def __init__(self, policy: RetryPolicy, clock: Clock, hindrance: Callable[[Job], str]) -> None:
        """``hindrance`` says why nothing more of a chunk may leave; empty when it may."""
        self._policy = policy
        self._clock = clock
        self._hindrance = hindrance

    def start(self, parts: Sequence[Part], tasks: asyncio.TaskGroup) -> Flights:
        """Begin the hand-overs, in batches that their channels take; small chunks share them."""
        by_channel: defaultdict[OpenChannel, list[Part]] = defaultdict(list)
        for part in parts:
            by_channel[part.group.channel].append(part)
        flights: Flights = {}
        for channel, mine in by_channel.items():
            for flight in _batches(mine, channel.descriptor.max_batch):
                flights[tasks.create_task(self._fly(channel, flight))] = flight
        return flights

    async def _fly(self, channel: OpenChannel, flight: Flight) -> Landed:
        batch = []
        for part in flight:
            hindrance = partial(self._hindrance, part.job)
            for position in part.positions:
                item = part.group.items[position]
                item.hindrance = hindrance
                batch.append(item)
        outcomes = await channel.send(batch)
        landed, first = [], 0
        for part in flight:
            last = first + len(part.positions)
            landed.append((part.job, self._settling(part, outcomes[first:last])))
            first = last
        return landed

    def _settling(self, part: Part, outcomes: Sequence[Outcome]) -> Settling:
        group, facts = part.group, part.job.facts
        how = Handover(
            kind=facts.kind,
            klass=facts.klass,
            idempotent=group.channel.descriptor.idempotent,
            channel=group.channel.index,
            now=facts.centi(self._clock.time()),
            expires=int((facts.expires_ms - facts.start_ms) / 10),
            place=group.place,
            of=group.of,
        )
        settling = Settling({})
        for position, outcome in zip(part.positions, outcomes, strict=True):
            # A second provider's failure says nothing: the first one may still take it.
            if outcome.verdict in TOOK or not part.raced:
                settling.add(position, outcome, group, how, self._policy)
            elif outcome.verdict is Verdict.UNKNOWN:
                # ... but its silence does: it may have told him, whatever becomes of the first.
                settling.records[position] = doubt(group.records[position])
        return settling


def _batches(parts: Sequence[Part], most: int) -> Iterator[Flight]:
    """Cut parts into batches of at most ``most`` deliveries, in order."""
    batch: list[Part] = []
    room = most
    for part in parts:
        start = 0
        while start < len(part.positions):
            some = part.positions[start : start + room]
            batch.append(Part(part.job, part.group, some, part.raced))
            start, room = start + len(some), room - len(some)
            if not room:
                yield batch
                batch, room = [], most
    if batch:
        yield batch
