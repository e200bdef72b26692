"""The composition root: builds everything once, runs it, stops it in reverse order."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

import structlog
import uvloop

from relay import garbage, supervise
from relay.clock import Clock, SystemClock
from relay.datadir import RoleLock, prepare
from relay.errors import ConfigError, DataDirInUse
from relay.fanout.channels import describe
from relay.log import configure
from relay.settings import Settings, load
from relay.store.embedded import EmbeddedServer
from relay.supervise import Child
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
        if server is not None:
            stack.push_async_callback(server.stop)
            await server.begin()
        with garbage.none():
            # A second of processor time, in which the server loads its files.
            from relay.api_process import ApiProcess

        process = ApiProcess(settings, data_dir, server, clock=clock, stack=stack)
        parts, announcer = await process.build(team)
        _renew_at_hup(settings, team, announcer.change)
        garbage.seldom()
        await supervise.run(parts, stopping=stopping, grace=settings.engine.grace + settings.api.drain)


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


def _team(settings: Settings, count: int, clock: Clock) -> Team:
    return Team(lambda number: _worker(settings, number, clock), count)


def _worker(settings: Settings, number: int, clock: Clock) -> Child:
    command = [sys.executable, "-m", "relay"]
    if settings.source is not None:
        command += ["--config", str(settings.source.absolute())]
    command += ["serve", "--role", "worker"]
    return Child(f"worker {number}", command, clock=clock, grace=settings.engine.grace, tells_ready=True)
