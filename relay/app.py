"""The composition root: builds everything once, runs it, stops it in reverse order."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog
import uvloop

from relay import garbage, supervise
from relay.api.server import Listener
from relay.api_node import ApiNode
from relay.clock import Clock, SystemClock
from relay.datadir import RoleLock, prepare
from relay.deployment import Announcer, adopt
from relay.duty_room import DutyRoom
from relay.errors import ConfigError, DataDirInUse
from relay.fanout.channels import describe
from relay.log import configure
from relay.settings import Settings, listening_fd, load
from relay.store.connection import Connection
from relay.store.deployment import DeploymentStore
from relay.store.embedded import EmbeddedServer
from relay.supervise import Child, Part
from relay.team import Team

log = structlog.get_logger()

ROLES = ("all", "api", "worker")


def serve(settings: Settings, *, role: str = "all", workers: int | None = None, ready_fd: int | None = None) -> int:
    """Run this process until SIGTERM or SIGINT; returns the exit code.

    ``role``: ``all`` is the API with its workers as child processes, ``api`` the API alone, ``worker`` workers alone:
    without ``workers`` this process is the one, else it supervises so many.  ``ready_fd`` is for a supervised worker.

    Raises:
        ConfigError: the configuration cannot be used.
        DataDirInUse: another relay has this data directory.
    """
    writer = configure(settings.log.level)
    try:
        return uvloop.run(_main(settings, role=role, workers=workers, ready_fd=ready_fd))
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


async def _main(settings: Settings, *, role: str, workers: int | None, ready_fd: int | None) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: log.warning("nothing_to_renew", role=role))
    clock = SystemClock()
    if role == "worker" and workers is None:
        with garbage.none():
            from relay.work import work  # it brings adapters, which the API process does without

        await work(settings, stopping=stopping, clock=clock, ready_fd=ready_fd)
    elif role == "worker":
        await _workers(settings, stopping=stopping, team=_team(settings, workers or 0, clock))
    else:
        count = settings.engine.workers if workers is None else workers
        await _api(settings, stopping=stopping, team=_team(settings, count if role == "all" else 0, clock), clock=clock)
    return 0


async def _workers(settings: Settings, *, stopping: asyncio.Event, team: Team) -> None:
    _check(settings)
    prepare(settings.data_dir)
    _renew_at_hup(settings, team, lambda fresh: None)
    await supervise.run({"workers": team}, stopping=stopping, grace=settings.engine.grace + 1)


async def _api(settings: Settings, *, stopping: asyncio.Event, team: Team, clock: Clock) -> None:
    _check(settings)
    data_dir = prepare(settings.data_dir)
    async with AsyncExitStack() as stack:
        stack.enter_context(RoleLock(data_dir, "api"))
        server = None if settings.redis.url else EmbeddedServer(data_dir, clock=clock, server=settings.redis.server)
        connection = _connect(settings, server, stack)
        deployment = DeploymentStore(connection)
        if server is None:
            await adopt(deployment, settings, data_dir)
        node = await ApiNode.build(settings, connection, data_dir, clock=clock)
        stack.push_async_callback(node.journal.close)
        room = DutyRoom(node.services)
        listener = Listener(node.services, console=room.pages, inherited=_inherited())
        announcer = Announcer(deployment, settings, node.services.secret)
        _renew_at_hup(settings, team, announcer.change)
        parts: dict[str, Part] = {**node.parts, "api": listener, "announcer": announcer, "workers": team}
        if server is not None:
            parts["redis"] = _Server(server)
        await node.load()
        await listener.start()
        garbage.seldom()
        _say_started(settings, node, listener, room)
        await supervise.run(parts, stopping=stopping, grace=settings.engine.grace + settings.api.drain)


def _connect(settings: Settings, server: EmbeddedServer | None, stack: AsyncExitStack) -> Connection:
    """Return a connection to the server, which need not run yet; what is opened here ``stack`` closes."""
    if server is not None:
        stack.push_async_callback(server.stop)
    connection = Connection(settings.redis.url or server_url(server), timeout=settings.redis.timeout)
    stack.push_async_callback(connection.close)
    return connection


def _check(settings: Settings) -> None:
    """Look at every channel.

    Raises:
        ConfigError: one cannot be used as configured.
    """
    for name, channel in settings.channels.items():
        describe(name, channel)


def _renew_at_hup(settings: Settings, team: Team, changed: Callable[[Settings], None]) -> None:
    """On SIGHUP read the configuration again and replace the workers by new ones; a broken one changes nothing."""

    def renew() -> None:
        try:
            fresh = load(settings.source)
            _check(fresh)
        except ConfigError as error:
            log.error("workers_not_replaced", error=str(error))  # noqa: TRY400 -- the sentence says it all
            return
        changed(fresh)
        team.renew()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew)


def _inherited() -> socket.socket | None:
    fd = listening_fd()
    return None if fd is None else socket.socket(fileno=fd)


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


def _team(settings: Settings, count: int, clock: Clock) -> Team:
    return Team(lambda number: _worker(settings, number, clock), count)


def _worker(settings: Settings, number: int, clock: Clock) -> Child:
    command = [sys.executable, "-m", "relay"]
    if settings.source is not None:
        command += ["--config", str(settings.source.absolute())]
    command += ["serve", "--role", "worker"]
    return Child(f"worker {number}", command, clock=clock, grace=settings.engine.grace, tells_ready=True)


def _say_started(settings: Settings, node: ApiNode, listener: Listener, room: DutyRoom) -> None:
    """Tell the person at the terminal where things are; the log goes elsewhere."""
    lines = [
        f"relay      {listener.url}",
        f"data       {settings.data_dir.absolute()}",
        f"admin key  {node.services.register.admin_path}",
        f"sign in    {listener.url}{room.sign_in_path()}   (valid once, for 15 minutes)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
