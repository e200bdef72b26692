"""What a worker holds while it sends one chunk: the work, and what is to be settled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.adapter import Outcome, Verdict
from relay.fanout.channels import OpenChannel
from relay.fanout.contents import LegFacts
from relay.fanout.ids import DeliveryRef
from relay.fanout.outcome_log import Entry, accepted
from relay.fanout.prepare import Group
from relay.fanout.retry import Handover, RetryPolicy, after
from relay.fanout.segment import SEGMENT, Segment
from relay.fanout.selection import NOTHING, Selection
from relay.store.chunk import Chunk
from relay.store.receipts import Part
from relay.tracking.reasons import code_of
from relay.tracking.receipts import provider_hash
from relay.tracking.states import Record


@dataclass(slots=True)
class Work:
    """One chunk in this worker's hands; ``stopped`` is set when its leg may not go on or its lease is lost."""

    chunk: Chunk
    reread: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    retry_at: int = 0  # earliest due time of what this chunk still owes, in milliseconds
    check_at: int = 0
    parked: bool = False
    on_park: Callable[[], None] | None = None

    def park(self) -> None:
        """Only slow providers are waited for from now on: the lane need not wait with us."""
        self.parked = True
        if self.on_park is not None:
            self.on_park()

    def owe(self, at_ms: int) -> None:
        """Have the chunk claimed again at ``at_ms`` at the latest."""
        self.retry_at = min(filter(None, (self.retry_at, at_ms)))


@dataclass(slots=True, eq=False)
class Job:
    """A chunk with what is needed to send it.

    ``started`` are the positions that were handed over or settled; ``wait``: seconds that a rate needs for the rest;
    ``told`` is what is not settled yet.
    """

    work: Work
    facts: LegFacts
    segment: Segment
    started: set[int] = field(default_factory=set)
    wait: float = 0.0
    chosen: Selection = NOTHING
    told: list[Settling] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)  # which are to be handed over still

    def choose(self, chosen: Selection) -> None:
        """Take over what of the chunk is to be sent, and what is settled without a hand-over."""
        self.chosen = chosen
        self.positions = list(chosen.to_send)
        if chosen.settled:
            self.told.append(Settling(dict(chosen.settled)))

    def next(self, most: int) -> dict[int, Record]:
        """Take the next positions to hand over, with their records."""
        some, self.positions = self.positions[:most], self.positions[most:]
        return {position: self.chosen.to_send[position] for position in some}

    @property
    def is_whole_leg(self) -> bool:
        """Whether the chunk is all that its leg has."""
        return self.work.chunk.first == 0 and self.facts.sizes == (self.work.chunk.last,)

    def take(self) -> list[Settling]:
        """Take what is to be settled now."""
        told, self.told = self.told, []
        return told

    def delivery_id(self, position: int) -> str:
        """Return the delivery id of a position of the chunk's segment."""
        return str(DeliveryRef(self.facts.leg_id, self.segment.number * SEGMENT + position))


#: Verdicts of a provider that took what it was handed.
TOOK = (Verdict.ACCEPTED, Verdict.DELIVERED)


@dataclass(slots=True)
class Settling:
    """Records by position, entries for the outcome log, and provider ids to register."""

    records: dict[int, Record]
    entries: list[Entry] = field(default_factory=list)
    ids: list[tuple[int, str]] = field(default_factory=list)  # of what was accepted with one id and nothing else
    accepted: list[tuple[int, OpenChannel, tuple[str, ...]]] = field(default_factory=list)
    opted_out: list[int] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)  # address → position, for replies
    _alike: dict[tuple[int, Verdict, str], Record] = field(default_factory=dict)

    def add(self, position: int, outcome: Outcome, group: Group, how: Handover, policy: RetryPolicy) -> None:
        """Record one outcome."""
        ids = outcome.provider_ids
        record = self.records[position] = self._after(outcome, group.records[position], how, policy)
        if outcome.verdict is Verdict.OPTED_OUT:
            self.opted_out.append(position)
        if outcome.verdict is Verdict.ACCEPTED and group.channel.two_way:
            self.told[group.items[position].address] = position
        if ids and group.channel.descriptor.receipts:
            self.accepted.append((position, group.channel, ids))
        if outcome.verdict is Verdict.ACCEPTED and len(ids) == 1 and not outcome.reason and not record.flags:
            self.ids.append((position, ids[0]))
        elif ids or outcome.verdict not in TOOK:
            self.entries.append(_entry(position, outcome, record, at=how.now))

    def _after(self, outcome: Outcome, begun: Record, how: Handover, policy: RetryPolicy) -> Record:
        if outcome.verdict not in TOOK:
            return after(outcome, begun, how, policy, random.random())  # noqa: S311 -- jitter
        # Most of a batch begin and end alike: one record serves them all, or is copied for each provider's id.
        key = (id(begun), outcome.verdict, outcome.reason)
        alike = self._alike.get(key)
        if alike is None:
            alike = self._alike[key] = after(outcome, begun, how, policy, 0.0)
        ids = outcome.provider_ids
        return alike.of_provider(provider_hash(ids[0])) if ids else alike

    @property
    def log(self) -> bytes:
        """What goes to the outcome log."""
        return b"".join((accepted(self.ids), *(entry.pack() for entry in self.entries)))

    def provider_ids(self, job: Job) -> dict[str, dict[str, Part]]:
        """Return what a receipt may name: channel → provider id → part of a delivery."""
        found: dict[str, dict[str, Part]] = {}
        first, leg_id = job.segment.number * SEGMENT, job.facts.leg_id
        for position, channel, ids in self.accepted:
            known = found.setdefault(channel.name, {})
            for number, provider_id in enumerate(ids):
                known[provider_id] = Part(f"{leg_id}-{first + position}", number, len(ids))
        return found


def _entry(position: int, outcome: Outcome, record: Record, *, at: int) -> Entry:
    return Entry(
        position=position,
        state=record.state,
        send=record.send,
        channel=record.channel,
        reason=code_of(outcome.reason),
        at=at,
        text=" ".join(outcome.provider_ids) or f"!{outcome.reason}",
    )
