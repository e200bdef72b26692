"""Legs in Redis: published by a plan, read by whoever asks, closed when they are stopped or expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.fanout.segment import Segment
from relay.store.connection import Connection
from relay.store.cursor import Cursor
from relay.store.keys import CLASSES, Partition
from relay.store.partitions import Keys, home_of
from relay.tracking.states import RECORD_BYTES, State

#: Of several partitions so many are looked at for legs to be reconciled each time.
_LOOKED_AT = 4
#: A leg that has not ended, and of which nothing is left to be seen, is looked at again after so many milliseconds.
_UNDONE_MS = 10_000
#: How long segments wait to be published, in seconds: longer than any plan takes.
_STAGED = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLeg:
    """A leg to publish; ``fields`` describe it (alert, kind, whose variants), ``lane`` is where it is claimed.

    ``staged`` is the token under which its segments were written; empty when they are in place, or come along as
    ``segments``, packed.
    """

    leg_id: str
    lane: str
    cursor: Cursor
    fields: Mapping[str, str]
    staged: str = ""
    segments: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One pass of a plan: its legs, how many people they are for, and what it must come back for (text, or empty).

    ``nobody`` and ``reason`` are the alert's state and why, when there is no leg at all.
    """

    legs: Sequence[NewLeg]
    recipients: int
    number: int = 0
    waits: str = ""
    nobody: str = "completed"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg: its facts, cursor, and counts of stored states (``QUEUED`` is what no record counts)."""

    leg_id: str
    facts: Mapping[str, str]
    cursor: Cursor
    counts: Mapping[State, int]

    @property
    def closed(self) -> State | None:
        """The state in which waiting deliveries of a stopped leg are read."""
        rest = self.facts.get("rest")
        return State(int(rest)) if rest else None

    @property
    def lane(self) -> str:
        """The lane it is claimed in: its kind."""
        return self.facts["kind"]


class Legs:
    """Legs; the id of each names its partition."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._redis = connection
        self.keys = keys
        self._turn = 0

    async def write_segments(self, leg_id: str, packed: Sequence[bytes], *, first: int = 0) -> None:
        """Store segments; nobody reads them before the leg is published."""
        keys = self.keys.of_leg(leg_id)
        await self._redis.pipe(
            [("SET", keys.segment(leg_id, number), data) for number, data in enumerate(packed, start=first)]
        )

    async def stage_segments(self, leg_id: str, packed: Sequence[bytes], *, token: str) -> None:
        """Store segments under names of this planner's own; publishing gives them their place, all at once."""
        keys = self.keys.of_leg(leg_id)
        await self._redis.pipe(
            [("SET", keys.staged(leg_id, n, token), data, "EX", _STAGED) for n, data in enumerate(packed)]
        )

    async def publish(self, alert_id: str, plan: Publication, *, now_ms: int) -> str:
        """Make a plan's legs claimable at once.

        Returns ``active``, ``already``, ``lost`` (segments are gone, plan again) or the state that forbids it.
        """
        keys = await home_of(self._redis, self.keys, alert_id)
        return _text(await self._redis.run("publish", *_published(keys, alert_id, plan, now_ms)))

    async def publish_many(self, plans: Mapping[str, Publication], *, now_ms: int) -> dict[str, str]:
        """Publish the plans of several alerts in one round trip; see :meth:`publish`.

        An alert whose server is away is not in the answer: plan it again.
        """
        calls = []
        for alert_id, plan in plans.items():
            keys = await home_of(self._redis, self.keys, alert_id)
            calls.append(_published(keys, alert_id, plan, now_ms))
        states = await self._redis.run_many("publish", calls)
        return {
            alert_id: _text(state)
            for alert_id, state in zip(plans, states, strict=True)
            if not isinstance(state, StoreUnavailable)
        }

    async def get(self, leg_id: str) -> Leg | None:
        """Return one leg, or None."""
        return (await self.get_many([leg_id]))[0]

    async def get_many(self, leg_ids: Sequence[str]) -> list[Leg | None]:
        """Return legs by id, None for what is not known."""
        commands: list[tuple[str, ...]] = []
        for leg_id in leg_ids:
            keys = self.keys.of_leg(leg_id)
            commands += [("HGETALL", keys.leg(leg_id)), ("HGET", keys.legs, leg_id)]
        replies = await self._redis.pipe(commands)
        return [
            _leg(leg_id, replies[2 * i], replies[2 * i + 1]) if replies[2 * i] and replies[2 * i + 1] else None
            for i, leg_id in enumerate(leg_ids)
        ]

    async def segment(self, leg_id: str, number: int) -> Segment | None:
        """Return one segment, or None."""
        data = await self._redis.call("GET", self.keys.of_leg(leg_id).segment(leg_id, number))
        return Segment.unpack(data, number=number) if data else None

    async def first_segments(self, leg_ids: Sequence[str]) -> list[Segment | None]:
        """Return the first segment of each leg, None where there is none."""
        found = await self._redis.pipe([("GET", self.keys.of_leg(leg_id).segment(leg_id, 0)) for leg_id in leg_ids])
        return [Segment.unpack(data, number=0) if data else None for data in found]

    async def records(self, leg_id: str, number: int, *, first: int, last: int) -> bytes:
        """Return the records of positions ``first`` to ``last`` (exclusive); zeros where none was written."""
        key = self.keys.of_leg(leg_id).records(leg_id, number)
        data: bytes = await self._redis.call("GETRANGE", key, first * RECORD_BYTES, last * RECORD_BYTES - 1)
        return data.ljust((last - first) * RECORD_BYTES, b"\0")

    async def outcomes(self, leg_id: str, number: int) -> bytes:
        """Return the outcome log of a segment."""
        return bytes(await self._redis.call("GET", self.keys.of_leg(leg_id).outcomes(leg_id, number)) or b"")

    async def channel_index(self, name: str, *, known: int = 0) -> int:
        """Return the number by which records name a channel, giving one if it has none: ``known``, if it had that."""
        return int(await self._redis.run("channel_index", [self.keys.first.channels], [name, known]))

    async def channels(self) -> dict[str, int]:
        """Return the index in records of every channel that was ever opened, by its name."""
        found = await self._redis.call("HGETALL", self.keys.first.channels)
        return {_text(name): int(index) for name, index in found.items()}

    async def close(self, leg_id: str, alert_id: str, state: State) -> str:
        """End a stopped or expired leg: what waits is read as ``state``; ``leased`` while chunks are out.

        Of a leg of which Redis may have forgotten something it is read as possibly sent.
        """
        keys = self.keys.of_leg(leg_id)
        names = [keys.legs, keys.leg(leg_id), keys.alert(alert_id), keys.run]
        return _text(await self._redis.run("close", names, [leg_id, int(state)]))

    async def take_checks(self, *, put_off_ms: int, most: int) -> list[str]:
        """Return ids of legs that are due to be reconciled; nobody else gets them for ``put_off_ms``.

        Of several partitions some are looked at each time, in turn.
        """
        every = len(self.keys.all)
        turn = range(self._turn, self._turn + min(every, _LOOKED_AT))
        self._turn = turn.stop % every
        names = [[self.keys.all[place % every].checks] for place in turn]
        found = await self._redis.run_each("checks_take", names, [put_off_ms, most])
        if all(isinstance(ids, StoreUnavailable) for ids in found):
            raise found[0]
        return [_text(leg_id) for ids in found if not isinstance(ids, StoreUnavailable) for leg_id in ids]

    async def check_again(self, leg_id: str, *, at_ms: int) -> None:
        """Reconcile the leg again at ``at_ms``; 0 ends it, if it is done or gone."""
        keys = self.keys.of_leg(leg_id)
        await self._redis.run("check_again", [keys.checks, keys.leg(leg_id)], [leg_id, at_ms, _UNDONE_MS])

    async def covered(self, leg: Leg) -> tuple[list[str], list[str]]:
        """Return the members that cover parts of a leg: (leased, waiting to be tried again)."""
        prefix, keys = f"{leg.leg_id}|".encode(), self.keys.of_leg(leg.leg_id)
        # Atomic: a chunk that moves from one to the other in between would look like nobody's.
        leased, retrying = await self._redis.pipe(
            [
                ("ZRANGE", keys.leases(leg.lane, leg.cursor.klass), 0, -1),
                ("ZRANGE", keys.retries(leg.lane, leg.cursor.klass), 0, -1),
            ],
            atomic=True,
        )
        return (
            [_text(m) for m in leased if m.startswith(prefix)],
            [_text(m) for m in retrying if m.startswith(prefix)],
        )

    async def queue_again(self, leg: Leg, ranges: Sequence[tuple[int, int, int]], *, at_ms: int) -> None:
        """Let ranges (segment, first, last) be claimed again."""
        key = self.keys.of_leg(leg.leg_id).retries(leg.lane, leg.cursor.klass)
        await self._redis.pipe([("ZADD", key, at_ms, f"{leg.leg_id}|{s}|{a}|{b}") for s, a, b in ranges])

    async def waiting(self, lanes: Sequence[str]) -> dict[Class, tuple[int, float]]:
        """Return, for each class, how many deliveries nobody has claimed yet and since when (ms, 0: none)."""
        ready = [keys.ready(lane, klass) for keys in self.keys.all for lane in lanes for klass in CLASSES]
        found = await self._redis.pipe([("ZRANGE", key, 0, 999) for key in ready])
        ids: dict[str, list[bytes]] = {}
        for leg_id in (leg_id for legs in found for leg_id in legs):
            ids.setdefault(self.keys.of_leg(leg_id.decode()).legs, []).append(leg_id)
        rows = await self._redis.pipe([("HMGET", legs, *some) for legs, some in ids.items()])
        cursors = [data for row in rows for data in row]
        totals: dict[Class, tuple[int, float]] = dict.fromkeys(CLASSES, (0, 0.0))
        for data in filter(None, cursors):
            cursor = Cursor.unpack(data)
            count, oldest = totals[cursor.klass]
            left = cursor.total - sum(cursor.sizes[: cursor.segment]) - cursor.position
            totals[cursor.klass] = (count + left, min(oldest or cursor.start, cursor.start))
        return totals


def _published(
    keys: Partition, alert_id: str, plan: Publication, now_ms: int
) -> tuple[list[str], list[str | bytes | int | float]]:
    """Return keys and arguments of the script that publishes a plan."""
    names = [keys.legs, keys.alert(alert_id), keys.plan_leases, keys.checks, keys.run, keys.alerts]
    along = [(leg, number, data) for leg in plan.legs for number, data in enumerate(leg.segments)]
    deliveries = sum(leg.cursor.total for leg in plan.legs)
    args: list[str | bytes | int | float] = [alert_id, now_ms, plan.recipients, deliveries]
    args += [plan.nobody, plan.reason, plan.number, plan.waits, len(plan.legs)]
    args += [len(along), *(data for _, _, data in along)]
    for leg in plan.legs:
        names += [keys.leg(leg.leg_id), keys.ready(leg.lane, leg.cursor.klass), keys.bell(leg.lane)]
        args += [leg.leg_id, leg.cursor.pack(), leg.cursor.expires, 2 * len(leg.fields)]
        for pair in leg.fields.items():
            args += pair
    names += [keys.segment(leg.leg_id, number) for leg, number, _ in along]
    for leg in plan.legs:
        for number in range(len(leg.cursor.sizes) if leg.staged else 0):
            names += [keys.staged(leg.leg_id, number, leg.staged), keys.segment(leg.leg_id, number)]
    return names, args


def _leg(leg_id: str, row: Mapping[bytes, bytes], packed: bytes) -> Leg:
    return leg_of(leg_id, {name.decode(): value.decode() for name, value in row.items()}, Cursor.unpack(packed))


def leg_of(leg_id: str, facts: Mapping[str, str], cursor: Cursor) -> Leg:
    """Return a leg from its stored facts and cursor."""
    counts = {State(int(name[1:])): int(facts[name]) for name in facts if name[0] == "n" and name[1:].isdecimal()}
    counts = {state: n for state, n in counts.items() if n}
    counts[State.QUEUED] = cursor.total - sum(counts.values())
    return Leg(leg_id, facts, cursor, counts)


def state_array(records: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return the state byte of each record."""
    return np.frombuffer(records, np.uint8)[::RECORD_BYTES]


def _text(value: bytes | str | int | None) -> str:
    if isinstance(value, bytes):
        return value.decode()
    return "" if value is None else str(value)
