"""The worker: plans, sends and looks after legs; everything in it is built once, here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from relay.adapter import EgressGuard, Kind
from relay.cap.limits import Limits
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.admission import Admission
from relay.fanout.audience import IndexMatcher
from relay.fanout.beat import Beat
from relay.fanout.bell import Bells
from relay.fanout.channels import Channels
from relay.fanout.contents import Contents
from relay.fanout.items import Links
from relay.fanout.lane import Lane
from relay.fanout.leases import Leases
from relay.fanout.listen import Listener
from relay.fanout.planner import Planner
from relay.fanout.precedence import Precedence
from relay.fanout.prepare import Preparer
from relay.fanout.preview import Previewer
from relay.fanout.probe import Prober
from relay.fanout.rate import Rates
from relay.fanout.reconcile import Reconciler
from relay.fanout.recorder import Recorder
from relay.fanout.repeating import Repeating
from relay.fanout.replay import Replay
from relay.fanout.retry import RetryPolicy
from relay.fanout.sender import Parts, Sender
from relay.process import pause
from relay.settings import Settings
from relay.store.alerts import Alerts
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.directory import DirectoryStore
from relay.store.legs import Legs
from relay.store.partitions import Keys, agree, configured
from relay.store.plan_jobs import PLAN_LANE
from relay.store.receipts import Previews, ReceiptStore
from relay.store.room import Room
from relay.store.switches import Switches
from relay.store.together import Together
from relay.store.watch import Watch
from relay.supervise import Part
from relay.tracking.lately import Lately
from relay.tracking.receipts import Receipts
from relay.tracking.recent_legs import RecentLegs
from relay.tracking.writes import Writes

log = structlog.get_logger()

#: A chunk is at most what its lane sends in this many seconds, so that worse news never waits longer.
_CHUNK_SECONDS = 0.5
#: The characters of ``/a/`` and a token.
_TOKEN_PATH = 3 + 31


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and as whom a worker runs."""

    worker_id: str
    data_dir: Path
    public_host: str
    secret: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stores:
    """The store's nouns over one connection."""

    connection: Connection
    keys: Keys
    alerts: Alerts
    legs: Legs
    chunks: Chunks
    directory: DirectoryStore
    receipts: ReceiptStore
    previews: Previews
    switches: Switches
    rates: Rates

    @classmethod
    def over(cls, connection: Connection, partitions: int) -> _Stores:
        keys = configured(connection, partitions)
        # Plans and receipts go side by side: what they ask at the same time travels together.  The few chunks in hand
        # each have their own way: waiting for each other's trips costs them a third of their pace.
        shared = connection if connection.kind == "cluster" else Together(connection)
        return cls(
            connection=connection,
            keys=keys,
            alerts=Alerts(shared, keys),
            legs=Legs(shared, keys),
            chunks=Chunks(connection, keys),
            directory=DirectoryStore(connection),
            receipts=ReceiptStore(shared, keys),
            previews=Previews(connection, keys),
            switches=Switches(connection),
            rates=Rates(connection, keys),
        )

    def inbound(self, clock: Clock, lately: Lately) -> Receipts:
        """Return what takes receipts and replies: many at a time, which share round trips to one server."""
        busy = self.connection if self.connection.kind == "cluster" else Together(self.connection)
        recent = RecentLegs(self.legs)
        lately.on_loss = recent.forget
        return Receipts(self.receipts, Writes(recent, Chunks(busy, self.keys)), clock=clock, lately=lately)


class Worker:
    """Everything a worker process does, over one connection."""

    def __init__(
        self, settings: Settings, connection: Connection, guard: EgressGuard, place: Place, *, clock: Clock
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._redis = connection
        self._stores = stores = _Stores.over(connection, settings.redis.partitions)
        self._limits = Limits(max_vertices=settings.cap.max_vertices, max_polygons=settings.cap.max_polygons)
        self._channels = Channels.configured(
            settings.channels,
            egress=guard,
            public_host=place.public_host,
            clock=clock,
            timeout=settings.engine.send_timeout,
            base=place.data_dir,
        )
        links = Links(base_url=settings.base_url, secret=place.secret)
        self._contents = Contents(
            stores.alerts, stores.legs, limits=self._limits, ack_url_length=len(links.base_url) + _TOKEN_PATH
        )
        self._precedence = Precedence()
        self._preparer = Preparer(
            stores.directory, self._contents, self._channels, stores.rates, links, clock, self._precedence
        )
        self._replay = Replay(stores.chunks, stores.legs, clock=clock)
        self._lately = Lately(clock=clock)
        self._receipts = stores.inbound(clock, self._lately)
        self._leases = Leases(stores.chunks, self._replay, engine=settings.engine, clock=clock)
        look = min(5.0, settings.engine.lease, settings.engine.lease_flash)
        self._bells = Bells(connection, stores.keys, [PLAN_LANE, *Kind], look=look)
        self.more_facts: Callable[[], Mapping[str, Any]] = dict
        self._leases.on_release = self._bells.hand_on
        self._bells.on_urgent = self._precedence.coming
        self._bells.on_place = self._look_in
        self._matcher = IndexMatcher(stores.directory, settings=settings, data_dir=place.data_dir, clock=clock)
        self.parts: dict[str, Part] = {**self._house_parts(place), **self._planning_parts(), **self._sending_parts()}

    def _house_parts(self, place: Place) -> dict[str, Part]:
        beat = Beat(
            place.worker_id,
            self._stores.switches,
            self._channels,
            self._preparer,
            self._leases,
            data_dir=place.data_dir,
            clock=self._clock,
            facts=self._facts,
        )
        return {
            "bells": self._bells,
            "beat": beat,
            "leases": self._leases,
            "index": self._matcher,
            "servers": Watch(self._redis, self._stores.keys),
            "replay": Repeating(
                self._leases, self._contents, self._replay, self._channels, self._stores.legs, self._lately
            ),
        }

    def _planning_parts(self) -> dict[str, Part]:
        stores, settings, limits = self._stores, self._settings, self._limits
        planner = Planner(
            stores.alerts,
            stores.legs,
            self._matcher,
            self._bells,
            settings=settings,
            limits=limits,
            clock=self._clock,
            precedence=self._precedence,
        )
        planner.small.on_published = self._contents.remember
        planner.small.is_ahead = self._contents.planned.is_full
        planner.recall.owes = self._replay.owes
        memory = settings.memory
        room = Room(stores.connection, limit_mb=memory.limit_mb, reserve=memory.reserve, clock=self._clock)
        planner.admission = Admission(room, stores.alerts, stores.legs, clock=self._clock)
        previewer = Previewer(stores.previews, self._matcher, self._channels, settings=settings, limits=limits)
        reconciler = Reconciler(
            stores.legs, stores.chunks, self._channels, self._bells, engine=settings.engine, clock=self._clock
        )
        return {"planner": planner, "previewer": previewer, "reconciler": reconciler}

    def _sending_parts(self) -> dict[str, Part]:
        engine = self._settings.engine
        sender = Sender(
            Parts(
                legs=self._stores.legs,
                contents=self._contents,
                preparer=self._preparer,
                recorder=Recorder(
                    chunks=self._stores.chunks,
                    preparer=self._preparer,
                    receipts=self._receipts,
                    replay=self._replay,
                    clock=self._clock,
                    lease_ms=int(engine.lease * 1000),
                    flash_ms=int(engine.lease_flash * 1000),
                ),
                replay=self._replay,
                policy=RetryPolicy(urgent=engine.pauses_urgent, normal=engine.pauses, jitter=engine.jitter),
                precedence=self._precedence,
                clock=self._clock,
            )
        )
        listeners = {f"listen {c.name}": Listener(c, self._receipts) for c in self._channels if c.hears}
        lanes = {f"lane {kind}": self._lane(kind, sender) for kind in Kind}
        return {**lanes, **listeners, "probes": Prober(self._channels)}

    async def open(self, stopping: asyncio.Event) -> None:
        """Open the channels and give them their numbers; waits for Redis, at most until ``stopping`` is set.

        Raises:
            ConfigError: the alerts are spread over another number of partitions than is configured.
        """
        await self._channels.open()
        while not stopping.is_set():
            try:
                await agree(self._redis, self._stores.keys)
                for channel in self._channels:
                    channel.index = await self._stores.legs.channel_index(channel.name)
            except StoreUnavailable:
                await pause(stopping, seconds=0.1)
            else:
                return

    async def close(self, *, deadline: float) -> None:
        """Close the channels."""
        await self._channels.close(deadline=deadline)

    def _lane(self, kind: Kind, sender: Sender) -> Lane:
        lane = Lane(
            kind,
            chunks=self._stores.chunks,
            sender=sender,
            leases=self._leases,
            bells=self._bells,
            preparer=self._preparer,
            engine=self._settings.engine,
            most=_most(self._settings, self._channels, kind),
        )
        if any(c.settings.rate for c in self._channels if c.descriptor.kind is kind):
            lane.together = 1  # they would wait for each other's tokens of a rate
        return lane

    @property
    def ready(self) -> bool:
        """Whether the index is there, so that it can plan and send."""
        return self._matcher.loaded

    def _look_in(self, lane: str, place: int) -> None:
        """A bell rang in one of several partitions: what asks them in turn asks that one next."""
        if lane == PLAN_LANE:
            self._stores.alerts.plans_in(place)
        else:
            self._stores.chunks.work_in(lane, place)

    def _facts(self) -> Mapping[str, Any]:
        return {"recipients": self._matcher.size, "owing": self._replay.owing, **self.more_facts()}


def _most(settings: Settings, channels: Channels, kind: Kind) -> int:
    """Return how large a chunk of a kind may be: half a second of what its channels may send."""
    rates = [channel.settings.rate for channel in channels if channel.descriptor.kind is kind]
    if not rates or not all(rates):
        return settings.engine.chunk
    return max(1, min(settings.engine.chunk, int(sum(rates) * _CHUNK_SECONDS)))
