"""Prepare: from positions of a segment to items that a channel can send, or to the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from relay.adapter import Class, Content, Item, Kind
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.channels import Channels, OpenChannel
from relay.fanout.contents import Contents, LegFacts
from relay.fanout.items import Links, Moment, make_items
from relay.fanout.precedence import Precedence
from relay.fanout.rate import Rates
from relay.fanout.retry import begin, doubt, ended
from relay.fanout.routes import Candidates
from relay.fanout.segment import Segment
from relay.fanout.step import Step
from relay.fanout.targets import Target, target_of
from relay.messages.holes import at_longest
from relay.messages.sms import count
from relay.store.directory import DirectoryStore
from relay.tracking.states import Record, State

#: A recipient as stored, and the address slots that are denied.
Person = tuple[bytes | None, int]


@dataclass(slots=True)
class Group:
    """What goes to one channel in one step: items and the records of their hand-over, by position.

    The channel is number ``place`` of the ``of`` that fit these addresses.
    """

    channel: OpenChannel
    place: int = 0
    of: int = 1
    items: dict[int, Item] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)


@dataclass(slots=True)
class Prepared:
    """Groups to hand over, records that are settled without a hand-over, and positions that cannot start now.

    ``wait``: the seconds that those of these need whose channel's rate or breaker keeps them back.
    """

    groups: list[Group] = field(default_factory=list)
    settled: dict[int, Record] = field(default_factory=dict)
    not_now: set[int] = field(default_factory=set)
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Gate:
    """The switches as this worker last read them."""

    stopped: bool = False
    paused: frozenset[str] = frozenset()


class _Begins:
    """Begun records; most of a group begin from the very same one, which is begun once."""

    def __init__(self, channel: OpenChannel, *, place: int, again: bool) -> None:
        self._channel = channel
        self._place = place
        self._again = again
        self._known: dict[tuple[int, bool], tuple[Record, Record]] = {}

    def of(self, record: Record, *, in_doubt: bool) -> Record:
        """Return the record at its hand-over."""
        doubted = in_doubt and self._channel.descriptor.idempotent
        known = self._known.get((id(record), doubted))
        if known is None:
            start = doubt(record) if doubted else record
            # The first one is kept beside it: its id must not be given to another record meanwhile.
            begun = begin(start, channel=self._channel.index, place=self._place, again=self._again)
            known = (record, begun)
            self._known[id(record), doubted] = known
        return known[1]


@dataclass(frozen=True, slots=True)
class NotNow:
    """It cannot start now, and that costs no attempt; ``wait``: when its channel may be asked again (0 unknown)."""

    wait: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """The channel that carries it: number ``place`` of the ``of`` that fit; the very same object for a whole step."""

    channel: OpenChannel
    place: int
    of: int


@dataclass(frozen=True, slots=True)
class Ended:
    """It will not be handed over at all."""

    state: State
    reason: str


class Preparer:
    """Reads addresses when they are needed, never earlier: an opt-out a second ago counts."""

    def __init__(
        self,
        directory: DirectoryStore,
        contents: Contents,
        channels: Channels,
        rates: Rates,
        links: Links,
        clock: Clock,
        precedence: Precedence | None = None,
    ) -> None:
        self._directory = directory
        self._contents = contents
        self._channels = channels
        self._rates = rates
        self._links = links
        self._clock = clock
        self._precedence = precedence or Precedence()
        self.gate = Gate()

    def idempotent(self, kind: Kind) -> bool:
        """Whether every channel of a kind drops a second copy by itself."""
        return all(c.descriptor.idempotent for c in self._channels if c.descriptor.kind is kind)

    def unsure(self, kind: Kind) -> bool:
        """Whether a channel of a kind hands over without a word to Redis first, so that nobody knows what had left."""
        return any(c.descriptor.idempotent for c in self._channels if c.descriptor.kind is kind)

    def receipt_deadline(self, index: int) -> float:
        """Return the seconds after which a channel's accepted deliveries end unconfirmed."""
        return next((c.receipt_deadline for c in self._channels if c.index == index), 3600.0)

    def shut(self, kind: Kind) -> bool:
        """Whether nothing of a kind could start now, so that there is no use in claiming any."""
        mine = [c for c in self._channels if c.descriptor.kind is kind]
        return self.gate.stopped or (bool(mine) and not any(self._open(c) for c in mine))

    async def prepare(self, steps: Sequence[Step]) -> list[Prepared]:
        """Turn steps of one or several chunks into groups.

        Raises:
            StoreUnavailable: Redis is away.
        """
        people = await self._people(sorted({ordinal for step in steps for ordinal in step.ordinals.values()}))
        found = []
        for step in steps:
            prepared, by_way = self._sort(step, people)
            await self._precedence.give_way(step.facts.klass)
            for way, targets in by_way.items():
                await self._group(prepared, way, step, targets)
            found.append(prepared)
        return found

    def _sort(self, step: Step, people: Mapping[int, Person]) -> tuple[Prepared, dict[Way, dict[int, Target]]]:
        """Return what can be said without a hand-over, and which channel carries the rest."""
        facts, slots = step.facts, step.segment.slots
        prepared = Prepared()
        ways = _Ways(self, facts)
        by_way: dict[Way, dict[int, Target]] = {}
        for position, ordinal in step.ordinals.items():
            record = step.records[position]
            row, denied = people[ordinal]
            target = target_of(row, denied, slot=int(slots[position]), kind=facts.kind)
            match ways.of(target, record):
                case Way() as way:
                    by_way.setdefault(way, {})[position] = target  # type: ignore[assignment]
                case NotNow(wait=wait):
                    prepared.not_now.add(position)
                    prepared.wait = max(prepared.wait, wait)
                case Ended(state, reason):
                    prepared.settled[position] = ended(record, state, reason=reason, now=step.now)
        return prepared, by_way

    async def _people(self, ordinals: Sequence[int]) -> dict[int, Person]:
        """Return recipients as stored; who was taken out left a tombstone, so a hole means a loss."""
        people = await self._directory.look_up(ordinals)
        if any(row is None for row, _ in people):
            if not await self._directory.epoch():
                raise StoreUnavailable("the directory is being restored")
            people = await self._directory.look_up(ordinals)
        return dict(zip(ordinals, people, strict=True))

    async def opted_out(self, segment: Segment, positions: Sequence[int]) -> None:
        """Deny the address slots that answered "not here any more"."""
        for position in positions:
            await self._directory.opt_out(int(segment.ordinals[position]), int(segment.slots[position]))

    def candidates(self, facts: LegFacts, address: str) -> Candidates:
        """Return the channels that may carry an address, the operator's first choice first."""
        return self._channels.routes.candidates(facts.kind, address, drill=facts.drill)

    def choose(self, candidates: Candidates, *, start: int, urgent: bool) -> Way | NotNow:
        """Return the first channel from place ``start`` on that may start something; urgent news avoids slow ones."""
        of = len(candidates)
        places = [(start + n) % of for n in range(of)]
        channels = {place: self._channels[candidates[place].name] for place in places}
        if urgent:
            places.sort(key=lambda place: channels[place].slow)
        for place in places:
            if self._open(channels[place]):
                return Way(channels[place], place, of)
        return NotNow(min(c.wait for c in channels.values()))

    def _open(self, channel: OpenChannel) -> bool:
        return not self.gate.stopped and channel.name not in self.gate.paused and channel.admits() > 0

    async def _group(self, prepared: Prepared, way: Way, step: Step, targets: Mapping[int, Target]) -> None:
        """Make the items for one channel, as many as its breaker and its rate let start now."""
        channel = way.channel
        cost = self._cost(channel, step, next(iter(targets)))
        wanted = min(len(targets), channel.admits())
        granted = await self._rates.take(
            channel.name, klass=step.facts.klass, per_second=channel.settings.rate, wanted=wanted, cost=cost
        )
        if granted < wanted:
            prepared.wait = max(prepared.wait, (wanted - granted) * cost / channel.settings.rate)
        prepared.not_now.update(list(targets)[granted:])
        if not granted:
            return
        if granted == 1:
            channel.probing()
        begins = _Begins(channel, place=way.place, again=step.again)
        group = Group(channel, way.place, way.of)
        for position in list(targets)[:granted]:
            group.records[position] = begins.of(step.records[position], in_doubt=position in step.maybe)
        group.items = make_items(
            step.facts,
            step.segment,
            targets,
            group.records,
            links=self._links,
            moment=Moment.of(self._clock.time(), step.facts.expires_ms),
            content_of=partial(self._contents.content, step.facts, two_way=channel.two_way),
        )
        prepared.groups.append(group)

    def _cost(self, channel: OpenChannel, step: Step, position: int) -> int:
        """Return how many provider submissions one item is (SMS parts)."""
        if step.facts.kind is not Kind.SMS or not channel.settings.rate:
            return 1
        content: Content = self._contents.content(
            step.facts, int(step.segment.variants[position]), two_way=channel.two_way
        )
        return max(1, count(at_longest(content.text)).parts)


class _Ways:
    """Where the deliveries of one step go; channels are judged once a step."""

    def __init__(self, preparer: Preparer, facts: LegFacts) -> None:
        self._preparer = preparer
        self._facts = facts
        self._known: dict[tuple[int, int], Way | NotNow] = {}

    def of(self, target: Target | str, record: Record) -> Way | NotNow | Ended:
        """Return where a delivery goes, or why nowhere."""
        facts = self._facts
        if isinstance(target, str):
            return Ended(State.SUPPRESSED, target)
        if facts.simulated:
            return Ended(State.SIMULATED, "test_mode")
        candidates = self._preparer.candidates(facts, target.address)
        if not candidates:
            return (
                Ended(State.SUPPRESSED, "no_drill_channel") if facts.drill else Ended(State.DEAD_LETTER, "no_channel")
            )
        key = (id(candidates), record.route)
        if key not in self._known:
            urgent = facts.klass in (Class.P0, Class.P1)
            self._known[key] = self._preparer.choose(candidates, start=record.route, urgent=urgent)
        return self._known[key]
