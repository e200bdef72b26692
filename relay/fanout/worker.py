"""The worker: plans, sends and looks after legs; everything in it is built once, here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from relay.adapter import EgressGuard, Kind
from relay.cap.limits import Limits
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.audience import IndexMatcher
from relay.fanout.beat import Beat
from relay.fanout.bell import Bells
from relay.fanout.channels import Channels
from relay.fanout.contents import Contents
from relay.fanout.lane import Lane
from relay.fanout.leases import Leases
from relay.fanout.listen import Listener
from relay.fanout.planner import Planner
from relay.fanout.prepare import Links, Preparer
from relay.fanout.preview import Previewer
from relay.fanout.rate import Rates
from relay.fanout.reconcile import Reconciler
from relay.fanout.replay import Replay
from relay.fanout.retry import RetryPolicy
from relay.fanout.sender import Parts, Sender
from relay.settings import Settings
from relay.store.alerts import PLAN_LANE, Alerts
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.directory import DirectoryStore
from relay.store.keys import Partition
from relay.store.legs import Legs
from relay.store.receipts import Previews, ReceiptStore
from relay.store.switches import Switches
from relay.supervise import Part
from relay.tracking.receipts import Receipts
from relay.tracking.writes import Writes

log = structlog.get_logger()

#: A chunk is at most what its lane sends in this many seconds, so that worse news never waits longer.
_CHUNK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and as whom a worker runs."""

    worker_id: str
    data_dir: Path
    public_host: str
    secret: bytes


class Worker:
    """Everything a worker process does, over one connection."""

    def __init__(
        self, settings: Settings, connection: Connection, guard: EgressGuard, place: Place, *, clock: Clock
    ) -> None:
        keys = Partition()
        engine = settings.engine
        limits = Limits(max_vertices=settings.cap.max_vertices, max_polygons=settings.cap.max_polygons)
        links = Links(base_url=settings.base_url, secret=place.secret)
        self._store = Alerts(connection, keys)
        self._legs = Legs(connection, keys)
        self._chunks = Chunks(connection, keys)
        self._channels = Channels.configured(
            settings.channels,
            egress=guard,
            public_host=place.public_host,
            clock=clock,
            timeout=engine.send_timeout,
            base=place.data_dir,
        )
        directory = DirectoryStore(connection)
        self._contents = Contents(
            self._store, self._legs, limits=limits, ack_url_length=len(links.base_url) + len("/a/") + 29
        )
        self._preparer = Preparer(directory, self._contents, self._channels, Rates(connection, keys), links, clock)
        replay = Replay(self._chunks, self._legs, clock=clock)
        receipts = Receipts(ReceiptStore(connection, keys), Writes(self._legs, self._chunks), clock=clock)
        self._leases = Leases(self._chunks, replay, engine=engine, clock=clock)
        self._bells = Bells(connection, keys, [PLAN_LANE, *Kind])
        self._matcher = IndexMatcher(directory, settings=settings, data_dir=place.data_dir)
        sender = Sender(
            Parts(
                chunks=self._chunks,
                legs=self._legs,
                contents=self._contents,
                preparer=self._preparer,
                receipts=receipts,
                replay=replay,
                policy=RetryPolicy(urgent=engine.pauses_urgent, normal=engine.pauses, jitter=engine.jitter),
                clock=clock,
                lease_ms=int(engine.lease * 1000),
            )
        )
        beat = Beat(
            place.worker_id,
            Switches(connection),
            self._channels,
            self._preparer,
            self._leases,
            data_dir=place.data_dir,
            clock=clock,
            facts=self._facts,
        )
        self._replay = replay
        self._numbers = (connection, keys.channels)
        planner = Planner(
            self._store, self._legs, self._matcher, self._bells, settings=settings, limits=limits, clock=clock
        )
        previewer = Previewer(
            Previews(connection, keys), self._matcher, self._channels, settings=settings, limits=limits
        )
        reconciler = Reconciler(self._legs, self._chunks, self._channels, engine=engine, clock=clock)
        self.parts: dict[str, Part] = {
            "bells": self._bells,
            "beat": beat,
            "leases": self._leases,
            "index": self._matcher,
            "planner": planner,
            "previewer": previewer,
            "reconciler": reconciler,
            **{f"lane {kind}": self._lane(kind, sender, settings) for kind in Kind},
            **{f"listen {c.name}": Listener(c, receipts) for c in self._channels if c.hears},
            "replay": _Repeating(self._leases, self._contents, replay),
        }

    async def open(self) -> None:
        """Open the channels and give them their numbers; waits for Redis, bounded by the caller."""
        await self._channels.open()
        connection, key = self._numbers
        for channel in self._channels:
            while True:
                try:
                    channel.index = int(await connection.run("channel_index", [key], [channel.name]))
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.2)

    async def close(self, *, deadline: float) -> None:
        """Close the channels."""
        await self._channels.close(deadline=deadline)

    def _lane(self, kind: Kind, sender: Sender, settings: Settings) -> Lane:
        return Lane(
            kind,
            chunks=self._chunks,
            sender=sender,
            leases=self._leases,
            bells=self._bells,
            preparer=self._preparer,
            engine=settings.engine,
            most=_most(settings, self._channels, kind),
        )

    def _facts(self) -> Mapping[str, Any]:
        return {"recipients": self._matcher.size, "owing": self._replay.owing}


class _Repeating:
    """Tells Redis again what it may have forgotten."""

    def __init__(self, leases: Leases, contents: Contents, replay: Replay) -> None:
        self._changed = asyncio.Event()
        leases.on_change.append(self._changed)
        self._contents = contents
        self._replay = replay

    async def run(self, stopping: asyncio.Event) -> None:
        """Repeat until ``stopping``."""
        while not stopping.is_set():
            if self._changed.is_set():
                self._changed.clear()
                self._contents.forget()
            if self._replay.owing:
                await self._replay.repeat_all()
            try:
                async with asyncio.timeout(0.5):
                    await self._changed.wait()
            except TimeoutError:
                continue


def _most(settings: Settings, channels: Channels, kind: Kind) -> int:
    """Return how large a chunk of a kind may be: half a second of what its channels may send."""
    rates = [channel.settings.rate for channel in channels if channel.descriptor.kind is kind]
    if not rates or not all(rates):
        return settings.engine.chunk
    return max(1, min(settings.engine.chunk, int(sum(rates) * _CHUNK_SECONDS)))
