"""The worker process: one worker and its connection, run until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import socket

import structlog

from relay import garbage, supervise
from relay.clock import Clock, ServerClock
from relay.datadir import prepare
from relay.deployment import Joined, Membership
from relay.fanout.worker import Place, Worker
from relay.messages.render import warm
from relay.node import guard_of, read_node
from relay.process import boot, pause
from relay.settings import Settings
from relay.store.connection import Connection
from relay.store.deployment import DeploymentStore
from relay.store.embedded import socket_url

log = structlog.get_logger()


async def work(settings: Settings, *, stopping: asyncio.Event, clock: Clock, ready_fd: int | None = None) -> None:
    """Run one worker until ``stopping``; a byte is written to ``ready_fd`` once it can do its work.

    Raises:
        ConfigError: a channel cannot be used as configured, or this machine does not fit the deployment.
    """
    data_dir = prepare(settings.data_dir)
    connection = Connection(settings.redis.url or socket_url(data_dir), timeout=settings.redis.timeout)
    # The private server writes before it answers: only the end of the machine takes that away, not its own.
    connection.ground = "" if settings.redis.url else boot()
    server_clock = ServerClock(clock)
    membership = Membership(DeploymentStore(connection), settings, data_dir, clock=server_clock)
    try:
        joined = await membership.join(stopping) if settings.redis.url else Joined(settings, b"")
        if joined is not None:
            await _work(joined.settings, connection, membership, stopping, clock=server_clock, ready_fd=ready_fd)
    finally:
        await connection.close()


async def _work(
    settings: Settings,
    connection: Connection,
    membership: Membership,
    stopping: asyncio.Event,
    *,
    clock: ServerClock,
    ready_fd: int | None,
) -> None:
    data_dir = prepare(settings.data_dir)
    node = read_node(data_dir, settings)
    place = Place(
        worker_id=f"{node.name}-{socket.gethostname()}-{os.getpid()}",
        data_dir=data_dir,
        public_host=node.public_host,
        secret=node.secret,
    )
    warm()
    worker = Worker(settings, connection, guard_of(settings), place, clock=clock)
    try:
        await worker.open(stopping)
        garbage.seldom()
        log.info("worker_started", worker=place.worker_id)
        parts = {**worker.parts, "ready": Ready(worker, ready_fd)}
        if settings.redis.url:
            parts["membership"] = membership
            worker.more_facts = lambda: {"trouble": membership.trouble}
        await supervise.run(parts, stopping=stopping, grace=settings.engine.grace)
    finally:
        await worker.close(deadline=2.0)
    log.info("worker_stopped", worker=place.worker_id)


class Ready:
    """Tells whoever started this process, once, that it can do its work."""

    def __init__(self, worker: Worker, fd: int | None) -> None:
        self._worker = worker
        self._fd = fd

    async def run(self, stopping: asyncio.Event) -> None:
        """Wait until the worker is ready; end at once when nobody wants to know."""
        while self._fd is not None and not stopping.is_set():
            if self._worker.ready:
                os.write(self._fd, b"1")
                os.close(self._fd)
                self._fd = None
            await pause(stopping, seconds=0.05)
