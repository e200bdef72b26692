"""Connections to Redis: no silent repeats of writes, bounded waits, one error for "not now"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import redis.exceptions
from redis.asyncio import BlockingConnectionPool, Redis, Sentinel
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from relay.errors import ConfigError, RelayError, StoreUnavailable
from relay.store import scripts

#: What a server says when it is there but cannot serve now: pending, never an error of ours.
_NOT_NOW = ("LOADING", "MISCONF", "OOM", "NOREPLICAS", "BUSY", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN")

#: The same, where the library has a class for the word and takes the word away.
_NOT_NOW_CLASSES = (
    redis.exceptions.BusyLoadingError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.MasterDownError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
)


@asynccontextmanager
async def available() -> AsyncIterator[None]:
    """Turn every way in which Redis can be away into :class:`StoreUnavailable`."""
    try:
        yield
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError, TimeoutError) as error:
        raise StoreUnavailable(f"Redis cannot be reached: {type(error).__name__}") from error
    except redis.exceptions.ResponseError as error:
        word = _word(error)
        if word in _NOT_NOW:
            raise StoreUnavailable(f"Redis answers {word}") from error
        if isinstance(error, _NOT_NOW_CLASSES):
            raise StoreUnavailable(f"Redis answers {type(error).__name__}") from error
        raise


def _word(error: redis.exceptions.ResponseError) -> str:
    """Return the first word of what the server said; the library hides it when a pipe's command failed."""
    said = str(error).rpartition("of pipeline caused error: ")[2]
    return said.lstrip("('\"").partition(" ")[0]


class UnknownCommand(RelayError):
    """The server is too old for a command; there is another way."""


class KeepsNothing(RelayError):
    """The server writes nothing to a disk, so that nobody can wait for that."""


class Connection:
    """Two pools to one Redis: commands (bounded by ``timeout`` seconds), and blocking reads (no time-out of their own).

    The library's default of ten silent retries repeats writes whose reply was lost, so both pools retry nothing.
    """

    def __init__(self, url: str, *, timeout: float, pool: int = 32) -> None:
        self.url = url
        self._timeout = timeout
        self.client = _client(url, timeout=timeout, pool=pool)
        self.blocking = _client(url, timeout=None, pool=pool)

    async def run(self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int | float]) -> Any:  # noqa: ANN401 -- replies are what the script returns
        """Run a script.

        Raises:
            StoreUnavailable: Redis cannot be reached or cannot serve now; the script may or may not have run.
        """
        async with available():
            return await scripts.run(self.client, name, keys, args)

    async def call(self, *command: str | bytes | int | float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Run one command.

        Raises:
            StoreUnavailable: as for :meth:`run`.
        """
        async with available():
            return await self.client.execute_command(*command)  # type: ignore[no-untyped-call]

    async def block(self, *command: str | bytes | int | float, timeout: float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Run one blocking command; ``timeout`` must exceed the command's own.

        Raises:
            StoreUnavailable: as for :meth:`run`, and when the server is silent for ``timeout`` seconds.
        """
        async with available(), asyncio.timeout(timeout):
            return await self.blocking.execute_command(*command)  # type: ignore[no-untyped-call]

    async def pipe(self, commands: Sequence[Sequence[str | bytes | int | float]], *, atomic: bool = False) -> list[Any]:
        """Run commands in one round trip; ``atomic``: nothing happens between them (they share a slot).

        Raises:
            StoreUnavailable: as for :meth:`run`.
        """
        if not commands:
            return []
        async with available(), self.client.pipeline(transaction=atomic) as pipe:
            for command in commands:
                pipe.execute_command(*command)
            return list(await pipe.execute())

    async def after_write(
        self,
        write: Sequence[str | bytes | int | float],
        wait: Sequence[str | bytes | int | float],
        *,
        timeout: float,
    ) -> Any:  # noqa: ANN401 -- replies differ by command
        """Write and then wait (``WAIT``, ``WAITAOF``) on the same connection: on another one the answer is worthless.

        Raises:
            UnknownCommand: the server does not know how to wait.
            KeepsNothing: it has no append-only file.
            StoreUnavailable: as for :meth:`run`.
        """
        async with available(), asyncio.timeout(timeout), self.blocking.pipeline(transaction=False) as pipe:
            pipe.execute_command(*write)
            pipe.execute_command(*wait)
            try:
                return (await pipe.execute())[-1]
            except redis.exceptions.ResponseError as error:
                if "unknown command" in str(error).lower():
                    raise UnknownCommand(str(wait[0])) from error
                if "appendonly is disabled" in str(error).lower():
                    raise KeepsNothing("appendonly no") from error
                raise

    async def close(self) -> None:
        """Close both pools."""
        # The pools were made here, so the library would leave them open.
        await self.client.aclose(close_connection_pool=True)
        await self.blocking.aclose(close_connection_pool=True)


def _client(url: str, *, timeout: float | None, pool: int) -> Redis:
    options: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout or 2.0,
    }
    if url.startswith("redis+sentinel://"):
        return _sentinel(url, options)
    if url.startswith("redis+cluster://"):
        raise ConfigError(
            "redis.url: a Redis Cluster is not supported yet; use redis://, rediss://, unix:// or redis+sentinel://"
        )
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ConfigError("redis.url must start with redis://, rediss://, unix:// or redis+sentinel://")
    pool_of = BlockingConnectionPool.from_url(url, max_connections=pool, timeout=timeout or 2.0, **options)
    return Redis(connection_pool=pool_of)


def _sentinel(url: str, options: dict[str, Any]) -> Redis:
    hosts, _, master = url.removeprefix("redis+sentinel://").partition("/")
    if not master:
        raise ConfigError("redis.url: write redis+sentinel://host1:26379,host2:26379/name-of-the-master")
    pairs = [(h.rpartition(":")[0] or h, int(h.rpartition(":")[2]) if ":" in h else 26379) for h in hosts.split(",")]
    client: Redis = Sentinel(  # type: ignore[no-untyped-call]
        pairs, socket_timeout=options["socket_timeout"] or 2.0
    ).master_for(master, **options)
    return client
