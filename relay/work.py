"""The worker process: one worker and its connection, run until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import socket

import structlog

from relay import supervise
from relay.clock import Clock
from relay.datadir import prepare
from relay.fanout.worker import Place, Worker
from relay.messages.render import warm
from relay.node import guard_of, read_node
from relay.settings import Settings
from relay.store.connection import Connection
from relay.store.embedded import socket_url

log = structlog.get_logger()


async def work(settings: Settings, *, stopping: asyncio.Event, clock: Clock) -> None:
    """Run one worker until ``stopping``.

    Raises:
        ConfigError: a channel cannot be used as configured.
    """
    data_dir = prepare(settings.data_dir)
    node = read_node(data_dir, settings)
    connection = Connection(settings.redis.url or socket_url(data_dir), timeout=settings.redis.timeout)
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
        log.info("worker_started", worker=place.worker_id)
        await supervise.run(worker.parts, stopping=stopping, grace=settings.engine.grace)
    finally:
        await worker.close(deadline=2.0)
        await connection.close()
    log.info("worker_stopped", worker=place.worker_id)
