"""Connections to Redis: no silent repeats of writes, bounded waits, one error for "not now"."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.exceptions

from relay.errors import RelayError, StoreUnavailable
from relay.store import scripts
from relay.store.available import available
from relay.store.cluster import ClusterRoute
from relay.store.pools import to_url
from relay.store.route import Command, Route, Single, key_of, piped
from relay.store.sentinel import SentinelRoute
from relay.store.url import StoreUrl, parse

__all__ = ["Connection", "Copied", "KeepsNothing", "UnknownCommand", "available"]


class UnknownCommand(RelayError):
    """The server is too old for a command; there is another way."""


class KeepsNothing(RelayError):
    """The server writes nothing to a disk, so that nobody can wait for that."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a script returned, and how many replicas had its writes when the wait ended."""

    reply: Any
    replicas: int


class Connection:
    """Redis, wherever it is: one server, the master of some Sentinels, or the primaries of a Cluster.

    Commands are bounded by ``timeout`` seconds; blocking reads have connections of their own.  Each key decides by
    itself where a command goes, so that nothing but the number of partitions differs from one topology to another.

    ``ground`` is what the server stands on: one that comes back on the same ground has all that was answered before.
    Empty: nobody knows that of this server.
    """

    ground = ""

    def __init__(self, url: str, *, timeout: float, pool: int = 32) -> None:
        """``pool`` is the most connections of a kind to one server.

        Raises:
            ConfigError: the URL cannot work.
        """
        self.url = url
        parsed = parse(url)
        self.kind = parsed.kind
        self._route = _route(parsed, timeout=timeout, size=pool)

    async def run(self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int | float]) -> Any:  # noqa: ANN401 -- replies are what the script returns
        """Run a script; all of ``keys`` are in one slot.

        Raises:
            StoreUnavailable: Redis cannot be reached or cannot serve now; the script may or may not have run.
        """
        async with available():
            return await self._route.run(keys[0], lambda client: scripts.run(client, name, keys, args))

    async def run_copied(
        self,
        name: str,
        keys: Sequence[str],
        args: Sequence[str | bytes | int | float],
        *,
        replicas: int,
        within: float,
    ) -> Copied:
        """Run a script, and wait up to ``within`` seconds until so many replicas have its writes.

        ``WAIT`` follows on the same connection: on another one it answers for other writes.  Too few replicas are no
        error: the writes are there.

        Raises:
            StoreUnavailable: as for :meth:`run`.
        """
        wait = ("WAIT", replicas, int(within * 1000))
        async with available():
            reply, count = await self._route.run(
                keys[0], lambda client: scripts.run_then(client, name, keys, args, then=wait)
            )
        return Copied(reply, int(count) if not isinstance(count, BaseException) else 0)

    async def run_each(
        self, name: str, keys: Sequence[Sequence[str]], args: Sequence[str | bytes | int | float]
    ) -> list[Any]:
        """Run a script once for each of several sets of keys; see :meth:`run_many`."""
        return await self.run_many(name, [(names, args) for names in keys])

    async def run_many(self, name: str, calls: Sequence[tuple[Sequence[str], Command]]) -> list[Any]:
        """Run a script several times, each with keys and arguments of its own, in one round trip to each server.

        Where a server is away its replies are :class:`StoreUnavailable`; where there is none at all it is raised.
        """
        if not calls:
            return []
        digest = scripts.digest(name)
        found = []
        replies = await self._asked([("EVALSHA", digest, len(names), *names, *args) for names, args in calls])
        for (names, args), reply in zip(calls, replies, strict=True):
            if not isinstance(reply, BaseException):
                found.append(reply)
                continue
            try:
                async with available():
                    if not isinstance(reply, redis.exceptions.NoScriptError):
                        raise reply
                    found.append(await self.run(name, names, args))
            except StoreUnavailable as error:
                found.append(error)
        return found

    async def call(self, *command: str | bytes | int | float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Run one command.

        Raises:
            StoreUnavailable: as for :meth:`run`.
        """
        async with available():
            return await self._route.run(key_of(command), lambda client: client.execute_command(*command))  # type: ignore[no-untyped-call]

    async def at(self, key: str, *command: str | bytes | int | float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Run a command without a key on the server of ``key``.

        Raises:
            StoreUnavailable: as for :meth:`run`.
        """
        async with available():
            return await self._route.run(key, lambda client: client.execute_command(*command))  # type: ignore[no-untyped-call]

    async def block(self, *command: str | bytes | int | float, timeout: float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Run one blocking command; ``timeout`` must exceed the command's own.

        Raises:
            StoreUnavailable: as for :meth:`run`, and when the server is silent for ``timeout`` seconds.
        """
        async with available(), asyncio.timeout(timeout):
            return await self._route.run(
                key_of(command),
                lambda client: client.execute_command(*command),  # type: ignore[no-untyped-call]
                blocking=True,
            )

    async def pipe(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Run commands in one round trip; ``atomic``: nothing happens between them (they share a slot).

        Raises:
            StoreUnavailable: as for :meth:`run`.
        """
        if not commands:
            return []
        async with available():
            if not atomic:
                return await self._route.pipe(commands)
            found: list[Any] = await self._route.run(
                key_of(commands[0]), lambda client: piped(client, commands, atomic=True)
            )
            return found

    async def replies(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in one round trip; an error in place of a reply is what came back instead.

        Raises:
            StoreUnavailable: there is no server at all.
        """
        async with available():
            return await self._route.pipe(commands, errors=True)

    async def _asked(self, commands: Sequence[Command]) -> list[Any]:
        """Return :meth:`replies`; those who share round trips do so here too."""
        return await self.replies(commands)

    async def after_write(self, write: Command, wait: Command, *, timeout: float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Write and then wait (``WAIT``, ``WAITAOF``) on the same connection: on another one the answer is worthless.

        Raises:
            UnknownCommand: the server does not know how to wait.
            KeepsNothing: it has no append-only file.
            StoreUnavailable: as for :meth:`run`.
        """
        async with available(), asyncio.timeout(timeout):
            try:
                found = await self._route.run(key_of(write), lambda client: piped(client, [write, wait]), blocking=True)
            except redis.exceptions.ResponseError as error:
                if "unknown command" in str(error).lower():
                    raise UnknownCommand(str(wait[0])) from error
                if "appendonly is disabled" in str(error).lower():
                    raise KeepsNothing("appendonly no") from error
                raise
            return found[-1]

    async def server(self, key: str) -> str:
        """Return a name of the server that a key is on, as far as is known; keys of one server have the same.

        Raises:
            StoreUnavailable: nobody can say which one that is.
        """
        async with available():
            return await self._route.server(key)

    async def look(self) -> None:
        """Notice a new master or moved slots although the old servers still answer; about once a second."""
        async with available():
            await self._route.look()

    async def close(self) -> None:
        """Close all connections."""
        await self._route.close()


def _route(url: StoreUrl, *, timeout: float, size: int) -> Route:
    match url.kind:
        case "sentinel":
            return SentinelRoute(url, timeout=timeout, size=size)
        case "cluster":
            return ClusterRoute(url, timeout=timeout, size=size)
        case _:
            return Single(to_url(url.text, timeout=timeout, size=size))
