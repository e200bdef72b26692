"""Prepare: from positions of a segment to items that a channel can send, or to the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from relay.adapter import Content, Hole, Item, Kind
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.channels import Channels, OpenChannel
from relay.fanout.contents import Contents, LegFacts
from relay.fanout.ids import DeliveryRef
from relay.fanout.rate import Rates
from relay.fanout.retry import begin, doubt, ended
from relay.fanout.routes import Route
from relay.fanout.segment import SEGMENT, Segment
from relay.fanout.targets import Target, target_of
from relay.messages.holes import at_longest, json_value
from relay.messages.sms import count
from relay.store.directory import DirectoryStore
from relay.tracking import token
from relay.tracking.states import Record, State


@dataclass(slots=True)
class Group:
    """What goes to one channel in one step: items and the records of their hand-over, by position."""

    channel: OpenChannel
    items: dict[int, Item] = field(default_factory=dict)
    records: dict[int, Record] = field(default_factory=dict)


@dataclass(slots=True)
class Prepared:
    """Groups to hand over, records that are settled without a hand-over, and positions that cannot start now.

    ``wait``: the seconds that their channel's rate needs for those of these that wait for nothing else.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """How links to the alert's page are made."""

    base_url: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """What all items of a group share: when they were prepared (RFC 3339), and when their alert ends."""

    stamp: str
    expires: datetime

    @classmethod
    def of(cls, seconds: float, expires_ms: float) -> Moment:
        """Return the moment for a time and an end."""
        stamp = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
        return cls(stamp, datetime.fromtimestamp(expires_ms / 1000, UTC))


class _Begins:
    """Begun records; most of a group begin from the very same one, which is begun once."""

    def __init__(self, channel: OpenChannel, *, again: bool) -> None:
        self._channel = channel
        self._again = again
        self._known: dict[tuple[int, bool], tuple[Record, Record]] = {}

    def of(self, record: Record, *, in_doubt: bool) -> Record:
        """Return the record at its hand-over."""
        doubted = in_doubt and self._channel.descriptor.idempotent
        known = self._known.get((id(record), doubted))
        if known is None:
            start = doubt(record) if doubted else record
            # The first one is kept beside it: its id must not be given to another record meanwhile.
            known = (record, begin(start, channel=self._channel.index, again=self._again))
            self._known[id(record), doubted] = known
        return known[1]


@dataclass(frozen=True, slots=True)
class NotNow:
    """It cannot start now, and that costs no attempt."""


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
    ) -> None:
        self._directory = directory
        self._contents = contents
        self._channels = channels
        self._rates = rates
        self._links = links
        self._clock = clock
        self.gate = Gate()

    def idempotent(self, kind: Kind) -> bool:
        """Whether every channel of a kind drops a second copy by itself."""
        return all(c.descriptor.idempotent for c in self._channels if c.descriptor.kind is kind)

    def receipt_deadline(self, index: int) -> float:
        """Return the seconds after which a channel's accepted deliveries end unconfirmed."""
        return next((c.receipt_deadline for c in self._channels if c.index == index), 3600.0)

    async def prepare(
        self, facts: LegFacts, segment: Segment, step: Mapping[int, Record], maybe: frozenset[int], *, now: int
    ) -> Prepared:
        """Turn ``step`` (position → record) into groups; ``maybe`` were perhaps sent by a worker that died.

        Raises:
            StoreUnavailable: Redis is away.
        """
        ordinals = {p: int(segment.ordinals[p]) for p in step}
        unique = sorted(set(ordinals.values()))
        rows = await self._rows(unique)
        denied = dict(zip(unique, await self._directory.denied(unique), strict=True))
        prepared = Prepared()
        by_channel: dict[str, dict[int, Target]] = {}
        for position, record in step.items():
            ordinal, slot = ordinals[position], int(segment.slots[position])
            target = target_of(rows[ordinal], denied[ordinal], slot=slot, kind=facts.kind)
            way = self._way(facts, target)
            match way:
                case Route():
                    by_channel.setdefault(way.name, {})[position] = target  # type: ignore[assignment]
                case NotNow():
                    prepared.not_now.add(position)
                case Ended():
                    prepared.settled[position] = ended(record, way.state, reason=way.reason, now=now)
        for name, targets in by_channel.items():
            await self._group(prepared, self._channels[name], _Step(facts, segment, step, maybe), targets)
        return prepared

    async def _rows(self, ordinals: Sequence[int]) -> dict[int, bytes | None]:
        """Return recipients as stored; who was taken out left a tombstone, so a hole means a loss."""
        rows = await self._directory.get_many(ordinals)
        if None in rows:
            if not await self._directory.epoch():
                raise StoreUnavailable("the directory is being restored")
            rows = await self._directory.get_many(ordinals)
        return dict(zip(ordinals, rows, strict=True))

    async def opted_out(self, segment: Segment, positions: Sequence[int]) -> None:
        """Deny the address slots that answered "not here any more"."""
        for position in positions:
            await self._directory.opt_out(int(segment.ordinals[position]), int(segment.slots[position]))

    def _way(self, facts: LegFacts, target: Target | str) -> Route | NotNow | Ended:
        if isinstance(target, str):
            return Ended(State.SUPPRESSED, target)
        if facts.simulated:
            return Ended(State.SIMULATED, "test_mode")
        route = self._channels.routes.choose(facts.kind, target.address, drill=facts.drill)
        if route is None:
            return (
                Ended(State.SUPPRESSED, "no_drill_channel") if facts.drill else Ended(State.DEAD_LETTER, "no_channel")
            )
        return NotNow() if self.gate.stopped or route.name in self.gate.paused else route

    async def _group(
        self, prepared: Prepared, channel: OpenChannel, step: _Step, targets: Mapping[int, Target]
    ) -> None:
        """Make the items for one channel, as many as its rate lets start now."""
        cost = self._cost(channel, step, next(iter(targets)))
        granted = await self._rates.take(
            channel.name, klass=step.facts.klass, per_second=channel.settings.rate, wanted=len(targets), cost=cost
        )
        if granted < len(targets):
            prepared.wait = max(prepared.wait, (len(targets) - granted) * cost / channel.settings.rate)
        now = Moment.of(self._clock.time(), step.facts.expires_ms)
        begins = _Begins(channel, again=step.facts.again)
        group = Group(channel)
        for number, (position, target) in enumerate(targets.items(), start=1):
            if number > granted:
                prepared.not_now.add(position)
                continue
            begun = begins.of(step.records[position], in_doubt=position in step.maybe)
            group.records[position] = begun
            group.items[position] = self._item(channel, step, position, target, begun, now)
        if group.items:
            prepared.groups.append(group)

    def _item(
        self, channel: OpenChannel, step: _Step, position: int, target: Target, begun: Record, now: Moment
    ) -> Item:
        facts = step.facts
        content = self._content(channel, step, position)
        ref = DeliveryRef(facts.leg_id, step.number * SEGMENT + position)
        delivery_id = str(ref)
        link = f"{self._links.base_url}/a/{token.make(ref, self._links.secret)}"
        values = {
            Hole.DELIVERY_ID: delivery_id,
            Hole.RECIPIENT: target.recipient,
            Hole.NAME: target.name,
            Hole.ACK_URL: link,
            Hole.CAP_URL: f"{link}/cap",
            Hole.TIMESTAMP: now.stamp,
        }
        if content.body is not None:
            values[Hole.NAME] = json_value(target.name)
        return Item(
            delivery_id=delivery_id,
            address=target.address,
            content=content,
            values=values,
            klass=facts.klass,
            expires=now.expires,
            send_number=begun.send,
            secret=target.secret,
        )

    def _content(self, channel: OpenChannel, step: _Step, position: int) -> Content:
        return self._contents.content(step.facts, int(step.segment.variants[position]), two_way=channel.two_way)

    def _cost(self, channel: OpenChannel, step: _Step, position: int) -> int:
        """Return how many provider submissions one item is (SMS parts)."""
        if step.facts.kind is not Kind.SMS or not channel.settings.rate:
            return 1
        return max(1, count(at_longest(self._content(channel, step, position).text)).parts)


@dataclass(frozen=True, slots=True)
class _Step:
    facts: LegFacts
    segment: Segment
    records: Mapping[int, Record]
    maybe: frozenset[int]

    @property
    def number(self) -> int:
        return self.segment.number
