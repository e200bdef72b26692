"""The composition root: builds everything once, runs it, stops it in reverse order."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack

import structlog
import uvloop

from relay import supervise
from relay.api.server import Listener
from relay.api_node import ApiNode
from relay.clock import Clock, SystemClock
from relay.datadir import RoleLock, prepare
from relay.duty_room import DutyRoom
from relay.errors import ConfigError, DataDirInUse
from relay.fanout.channels import describe
from relay.log import configure
from relay.settings import Settings
from relay.store.connection import Connection
from relay.store.embedded import EmbeddedServer
from relay.supervise import Child, Part

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
        from relay.work import work  # it brings numpy and shapely, which the API process does without

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
        node = await ApiNode.build(settings, connection, data_dir, clock=clock)
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


def _worker(settings: Settings, number: int, clock: Clock) -> Child:
    command = [sys.executable, "-m", "relay"]
    if settings.source is not None:
        command += ["--config", str(settings.source.absolute())]
    command += ["serve", "--role", "worker"]
    return Child(f"worker {number}", command, clock=clock, grace=settings.engine.grace)


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
