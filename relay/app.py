"""The composition root: builds everything once, runs it, stops it in reverse order."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
import uvloop

from relay import supervise
from relay.api.server import Listener
from relay.api.services import Services
from relay.clock import Clock, SystemClock
from relay.datadir import RoleLock, prepare
from relay.directory.copy import Copy
from relay.directory.service import Directory
from relay.duty_room import DutyRoom
from relay.errors import ConfigError, DataDirInUse
from relay.fanout.channels import describe
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
from relay.intake.quota import Quota
from relay.intake.register import Register
from relay.intake.remember import Remember
from relay.log import configure
from relay.messages.render import warm
from relay.metrics import Metrics
from relay.node import read_node
from relay.node_state import NodeState
from relay.settings import Settings
from relay.store.alerts import Alerts
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.directory import DirectoryStore
from relay.store.embedded import EmbeddedServer
from relay.store.keys import Partition
from relay.store.legs import Legs
from relay.store.receipts import Previews, ReceiptStore
from relay.store.switches import Switches
from relay.supervise import Child, Part
from relay.tracking.receipts import Receipts
from relay.tracking.writes import Writes
from relay.work import guard_of, work

log = structlog.get_logger()

ROLES = ("all", "api", "worker")


def serve(settings: Settings, *, role: str = "all", workers: int | None = None) -> int:
    """Run this process until SIGTERM or SIGINT; returns the exit code.

    ``role``: ``all`` is the API with its workers as child processes, ``api`` the API alone, ``worker`` one worker.

    Raises:
        ConfigError: the configuration cannot be used.
        DataDirInUse: another relay has this data directory.
    """
    writer = configure(settings.log.level)
    if workers is not None:
        engine = settings.engine.model_copy(update={"workers": workers})
        settings = settings.model_copy(update={"engine": engine})
    try:
        return uvloop.run(_main(settings, role=role))
    except Exception as error:  # what ends the process is said once, in the log or to whoever started it
        cause = _first(error)
        if isinstance(cause, ConfigError | DataDirInUse):
            raise cause from None
        log.exception("relay_failed", role=role)
        return 1
    finally:
        writer.close()


def _first(error: BaseException) -> BaseException:
    """Return the first error of a group: one clear sentence says more than a tree."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _main(settings: Settings, *, role: str) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    clock = SystemClock()
    if role == "worker":
        await work(settings, stopping=stopping, clock=clock)
        return 0
    await _api(settings, stopping=stopping, workers=settings.engine.workers if role == "all" else 0, clock=clock)
    return 0


async def _api(settings: Settings, *, stopping: asyncio.Event, workers: int, clock: Clock) -> None:
    for name, channel in settings.channels.items():
        describe(name, channel)
    data_dir = prepare(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(RoleLock(data_dir, "api"))
        server = None if settings.redis.url else EmbeddedServer(data_dir, clock=clock, server=settings.redis.server)
        if server is not None:
            stack.push_async_callback(server.stop)
        url = settings.redis.url or server_url(server)
        connection = Connection(url, timeout=settings.redis.timeout)
        stack.push_async_callback(connection.close)
        node = await _Node.build(settings, connection, data_dir, clock=clock)
        stack.push_async_callback(node.journal.close)
        room = DutyRoom(node.services)
        listener = Listener(node.services, console=room.pages)
        parts: dict[str, Part] = {**node.parts, "api": listener}
        if server is not None:
            parts["redis"] = _Server(server)
        parts |= {f"worker {n}": _worker(settings, n, clock) for n in range(1, workers + 1)}
        await node.load()
        await listener.start()
        _say_started(settings, node, listener, room)
        await supervise.run(parts, stopping=stopping, grace=settings.engine.grace + settings.api.drain)


def server_url(server: EmbeddedServer | None) -> str:
    """Return the URL of the private server; it need not run yet."""
    return server.url if server is not None else ""


class _Server:
    """The private server as a part: started while the API already accepts."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server

    async def run(self, stopping: asyncio.Event) -> None:
        await self._server.start()
        await self._server.run(stopping)


class _Node:
    """Everything of the API process that outlives a request."""

    def __init__(self, services: Services, journal: Journal, remember: Remember, parts: Mapping[str, Part]) -> None:
        self.services = services
        self.journal = journal
        self.parts = dict(parts)
        self._remember = remember

    async def load(self) -> None:
        """Queue what the journal holds for Redis; accepting need not wait for that."""
        count = await self._remember.load()
        log.info("journal_read", records=count)

    @classmethod
    async def build(cls, settings: Settings, connection: Connection, data_dir: Path, *, clock: Clock) -> _Node:
        """Build the services over one connection."""
        keys = Partition()
        identity = await asyncio.to_thread(read_node, data_dir, settings)
        await asyncio.to_thread(warm)
        register = await asyncio.to_thread(Register.open, data_dir, clock=clock)
        journal = await asyncio.to_thread(Journal.open, data_dir / "journal", node=identity.name, clock=clock)
        memory = Memory()
        await asyncio.to_thread(lambda: memory.rebuild(journal.records()))
        alerts, legs, chunks = Alerts(connection, keys), Legs(connection, keys), Chunks(connection, keys)
        directory_store, switches = DirectoryStore(connection), Switches(connection)
        directory = Directory(directory_store, Copy(data_dir), clock=clock)
        receipts = Receipts(ReceiptStore(connection, keys), Writes(legs, chunks), clock=clock)
        applier = Applier(alerts, switches, directory, receipts, node=identity.name)
        remember = Remember(journal, alerts, node=identity.name, clock=clock, apply=applier.apply)
        remember.on_loss = directory.recover
        accept = Accept(
            journal=journal,
            memory=memory,
            alerts=alerts,
            remember=remember,
            settings=settings,
            clock=clock,
            node=identity.name,
        )
        applier.accept = accept
        ledger = Ledger(journal, remember, applier.apply, budget=settings.redis.accept_budget)
        keyring = Keyring(register, ledger, switches, clock=clock)
        metrics = Metrics()
        state = NodeState(connection, journal, remember, accept, switches, metrics, clock=clock)
        services = Services(
            settings=settings,
            clock=clock,
            metrics=metrics,
            secret=identity.secret,
            guard=guard_of(settings),
            accept=accept,
            register=register,
            quota=Quota(per_minute=settings.api.posts_per_minute, clock=clock),
            alerts=alerts,
            legs=legs,
            directory_store=directory_store,
            switches=switches,
            previews=Previews(connection, keys),
            kinds={name: describe(name, channel)[2].kind for name, channel in settings.channels.items()},
            decisions=Decisions(ledger, accept, alerts, sender=f"chapar@{identity.public_host}", clock=clock),
            directory=Edits(ledger, directory, clock=clock),
            controls=Controls(ledger, data_dir=data_dir, clock=clock),
            keys=keyring,
            acknowledge=Acknowledge(ledger, clock=clock),
            state=state,
        )
        parts: dict[str, Part] = {
            "directory": directory,
            "remember": _After(directory.synced, remember),
            "keys": keyring,
            "state": state,
        }
        return cls(services, journal, remember, parts)


class _After:
    """A part that begins once an event is set: alerts are applied when the directory is back."""

    def __init__(self, event: asyncio.Event, part: Part) -> None:
        self._event = event
        self._part = part

    async def run(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set() and not self._event.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self._event.wait()
        await self._part.run(stopping)


def _worker(settings: Settings, number: int, clock: Clock) -> Child:
    command = [sys.executable, "-m", "relay"]
    if settings.source is not None:
        command += ["--config", str(settings.source.absolute())]
    command += ["serve", "--role", "worker"]
    return Child(f"worker {number}", command, clock=clock, grace=settings.engine.grace)


def _say_started(settings: Settings, node: _Node, listener: Listener, room: DutyRoom) -> None:
    """Tell the person at the terminal where things are; the log goes elsewhere."""
    lines = [
        f"relay      {listener.url}",
        f"data       {settings.data_dir.absolute()}",
        f"admin key  {node.services.register.admin_path}",
        f"sign in    {listener.url}{room.sign_in_path()}   (valid once, for 15 minutes)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
