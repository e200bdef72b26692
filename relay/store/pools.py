"""Pools of connections to one server: bounded waits, and no silent repeats of writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import redis.exceptions
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection, SSLConnection
from redis.asyncio.connection import Connection as PlainConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from relay.store.url import Address, StoreUrl

#: How long connecting may take where commands wait without a limit of their own, in seconds.
_CONNECT = 2.0

Greeting = Callable[[AbstractConnection], Awaitable[None]]


class Pools:
    """Two pools to one server: commands (bounded by ``timeout`` seconds), and blocking reads (not bounded here).

    The library's default of ten silent retries repeats writes whose reply was lost, so both pools retry nothing.
    """

    def __init__(self, make: Callable[[dict[str, Any]], BlockingConnectionPool], *, timeout: float, size: int) -> None:
        """``make`` makes a pool from the options that are given."""
        retry = Retry(NoBackoff(), 0)
        shared = {"retry": retry, "max_connections": size}
        self.client = Redis(
            connection_pool=make(
                {**shared, "timeout": timeout, "socket_timeout": timeout, "socket_connect_timeout": timeout}
            )
        )
        self.blocking = Redis(
            connection_pool=make(
                {**shared, "timeout": _CONNECT, "socket_timeout": None, "socket_connect_timeout": _CONNECT}
            )
        )

    async def close(self) -> None:
        """Close both pools."""
        # The pools were made here, so the library would leave them open.
        await self.client.aclose(close_connection_pool=True)
        await self.blocking.aclose(close_connection_pool=True)


def to_url(text: str, *, timeout: float, size: int) -> Pools:
    """Return pools to the server of a plain URL."""
    return Pools(lambda options: BlockingConnectionPool.from_url(text, **options), timeout=timeout, size=size)


def to_address(
    address: Address, url: StoreUrl, *, timeout: float, size: int, greeting: Greeting | None = None
) -> Pools:
    """Return pools to a server that a Sentinel or a Cluster named; each new connection begins with ``greeting``."""
    login: dict[str, Any] = {"username": url.username, "password": url.password} if url.password else {}

    def make(options: dict[str, Any]) -> BlockingConnectionPool:
        return BlockingConnectionPool(
            connection_class=SSLConnection if url.tls else PlainConnection,
            host=address.host,
            port=address.port,
            redis_connect_func=greeting,
            **login,
            **options,
        )

    return Pools(make, timeout=timeout, size=size)


async def as_master(connection: AbstractConnection) -> None:
    """Greet a server, and go away again when it is no master: what it says may be old, and it takes no writes."""
    await connection.on_connect()
    await connection.send_command("ROLE")
    role = await connection.read_response()
    if role[0] != b"master":
        raise redis.exceptions.ConnectionError("the server is not the master now")
