"""The node: everything of the API process that outlives a request, built once over one connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from relay import garbage
from relay.api.services import Services
from relay.archive_room import ArchiveRoom
from relay.clock import Clock
from relay.directory.copy import Copy
from relay.directory.service import Directory
from relay.fanout.channels import describe
from relay.intake import live
from relay.intake.accept import Accept
from relay.intake.acknowledge import Acknowledge
from relay.intake.apply import Applier
from relay.intake.controls import Controls
from relay.intake.decisions import Decisions
from relay.intake.edits import Edits
from relay.intake.journal import Journal
from relay.intake.keyring import Keyring
from relay.intake.ledger import Ledger
from relay.intake.memory import Memory
from relay.intake.places import places_of
from relay.intake.quota import Quota
from relay.intake.register import Register
from relay.intake.remember import Remember
from relay.intake.retention import Retention
from relay.messages.render import warm
from relay.metrics import Metrics
from relay.node import Node, guard_of, read_node
from relay.node_state import NodeState
from relay.settings import Settings
from relay.store.alerts import Alerts
from relay.store.connection import Connection
from relay.store.copies import Copies
from relay.store.directory import DirectoryStore
from relay.store.legs import Legs
from relay.store.memories import Memories
from relay.store.partitions import Keys, configured
from relay.store.receipts import Previews, ReceiptStore
from relay.store.switches import Switches
from relay.store.together import Together
from relay.store.watch import Watch
from relay.supervise import Part
from relay.tracking.archive import Archive
from relay.tracking.receipts import Receipts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Disk:
    """What this node keeps in its data directory."""

    path: Path
    node: Node
    register: Register
    journal: Journal
    memory: Memory
    reading: live.Reading | None  # until it is queued: it holds every alert of a week
    archive: Archive

    @classmethod
    def read(cls, path: Path, settings: Settings, clock: Clock) -> _Disk:
        warm()
        node = read_node(path, settings)
        journal = Journal.open(path / "journal", node=node.name, clock=clock)
        memory = Memory()
        with garbage.none():  # a third of the time else
            reading = live.read(journal.records(), lost=False, accepted=memory.note)
        archive = Archive(path / "archive", node=node.name)
        archive.open(now_ms=int(clock.time() * 1000))
        return cls(path, node, Register.open(path, clock=clock), journal, memory, reading, archive)


@dataclass(frozen=True, slots=True)
class _Store:
    """The store's nouns that the API process uses."""

    room: ArchiveRoom
    alerts: Alerts
    accepting: Alerts  # many at a time: their commands share round trips
    legs: Legs
    directory: DirectoryStore
    switches: Switches
    previews: Previews
    receipts: Receipts

    @classmethod
    def over(cls, connection: Connection, keys: Keys, disk: _Disk, settings: Settings, clock: Clock) -> _Store:
        # One frozen primary of a Cluster would hold up everybody's round trip.
        together = connection if connection.kind == "cluster" else Together(connection)
        room = ArchiveRoom(
            disk.archive, connection, together, keys, settings=settings, node=disk.node.name, clock=clock
        )
        room.alerts.copies = room.accepting.copies = Copies.configured(connection, settings.redis.copies)
        return cls(
            room,
            room.alerts,
            room.accepting,
            room.legs,
            DirectoryStore(connection),
            Switches(connection),
            Previews(connection, keys),
            Receipts(ReceiptStore(together, keys), room.writes, clock=clock),
        )


class ApiNode:
    """The services of one API process, and the parts that keep them true."""

    def __init__(self, settings: Settings, connection: Connection, disk: _Disk, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._disk = replace(disk, reading=None)
        self._reading = disk.reading
        self.journal = disk.journal
        keys = configured(connection, settings.redis.partitions)
        store = _Store.over(connection, keys, disk, settings, clock)
        directory = Directory(store.directory, Copy(disk.path), clock=clock)
        applier = Applier(store.alerts, store.switches, directory, store.receipts, node=disk.node.name)
        self._watch = Watch(connection, keys)
        memories, place_of = Memories(connection, keys), places_of(len(keys.all))
        self._remember = Remember(
            disk.journal, memories, node=disk.node.name, clock=clock, apply=applier.apply, place_of=place_of
        )
        self._remember.on_loss = directory.recover
        accept = Accept(
            journal=disk.journal,
            memory=disk.memory,
            alerts=store.accepting,
            remember=self._remember,
            settings=settings,
            clock=clock,
            node=disk.node.name,
        )
        applier.accept = accept
        ledger = Ledger(disk.journal, self._remember, applier.apply, budget=settings.redis.accept_budget)
        keyring = Keyring(disk.register, ledger, store.switches, clock=clock)
        metrics = Metrics()
        self._state = NodeState(connection, disk.journal, self._remember, accept, store.switches, metrics, clock=clock)
        self.services = self._services(store, accept, ledger, directory, keyring, metrics, self._state)
        self.parts: Mapping[str, Part] = {
            "servers": self._watch,
            "directory": directory,
            "remember": After(directory.synced, self._remember),
            "keys": keyring,
            "state": self._state,
            "retention": Retention(disk.journal, self._remember, trusted=lambda: accept.clock_trusted, clock=clock),
            **store.room.parts(),
        }

    @classmethod
    async def build(cls, settings: Settings, connection: Connection, data_dir: Path, *, clock: Clock) -> ApiNode:
        """Read the data directory and build the services over one connection; Redis need not be there yet."""
        disk = await asyncio.to_thread(_Disk.read, data_dir, settings, clock)
        return cls(settings, connection, disk, clock=clock)

    async def load(self) -> None:
        """Queue what the journal holds for Redis; accepting need not wait for that.

        Raises:
            ConfigError: the alerts in Redis are spread over another number of partitions.
        """
        await self._watch.begin()
        reading, self._reading = self._reading, None
        count = await self._remember.load(reading)
        self._state.judge_clock()
        log.info("journal_read", records=count)

    def _services(
        self,
        store: _Store,
        accept: Accept,
        ledger: Ledger,
        directory: Directory,
        keyring: Keyring,
        metrics: Metrics,
        state: NodeState,
    ) -> Services:
        settings, clock, disk = self._settings, self._clock, self._disk
        return Services(
            settings=settings,
            clock=clock,
            metrics=metrics,
            secret=disk.node.secret,
            guard=guard_of(settings),
            accept=accept,
            register=disk.register,
            quota=Quota(per_minute=settings.api.posts_per_minute, clock=clock),
            alerts=store.alerts,
            legs=store.legs,
            directory_store=store.directory,
            switches=store.switches,
            previews=store.previews,
            kinds={name: describe(name, channel)[2].kind for name, channel in settings.channels.items()},
            decisions=Decisions(
                ledger, accept, store.alerts, disk.journal, sender=f"chapar@{disk.node.public_host}", clock=clock
            ),
            directory=Edits(ledger, directory, clock=clock),
            controls=Controls(ledger, data_dir=disk.path, clock=clock),
            keys=keyring,
            acknowledge=Acknowledge(ledger, clock=clock),
            state=state,
            keeping=store.room,
        )


class After:
    """A part that begins once an event is set: alerts are applied when the directory is back."""

    def __init__(self, event: asyncio.Event, part: Part) -> None:
        self._event = event
        self._part = part

    async def run(self, stopping: asyncio.Event) -> None:
        """Wait for the event, then run the part until ``stopping``."""
        while not stopping.is_set() and not self._event.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self._event.wait()
        await self._part.run(stopping)
