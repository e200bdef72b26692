"""Which server a key is on: the one there is, the one that Sentinels name, or the one that has its slot."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from hiredis import pack_command
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from relay.store.available import is_closed
from relay.store.pools import Pools

Command = Sequence[str | bytes | int | float]

#: Something to do on the server that has a key.
Work = Callable[[Redis], Awaitable[Any]]


class Route(Protocol):
    """Finds servers.  What the library raises passes through; ``Connection`` turns it into ``StoreUnavailable``."""

    async def run(self, key: str, work: Work, *, blocking: bool = False) -> Any:  # noqa: ANN401 -- replies are what the work returns
        """Do ``work`` on the server of ``key``; ``blocking``: on a connection without a time-out of its own."""
        ...

    async def pipe(self, commands: Sequence[Command], *, errors: bool = False) -> list[Any]:
        """Run commands in one round trip to each server that has keys of theirs.

        ``errors``: they are among the replies instead of raised.
        """
        ...

    async def server(self, key: str) -> str:
        """Return a name of the server that a key is on, as far as is known; keys of one server have the same."""
        ...

    async def look(self) -> None:
        """Notice what has changed among the servers; called about once a second."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Single:
    """One server."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def run(self, _key: str, work: Work, *, blocking: bool = False) -> Any:  # noqa: ANN401 -- as in Route
        """Do ``work`` there."""
        return await work(self._pools.blocking if blocking else self._pools.client)

    async def pipe(self, commands: Sequence[Command], *, errors: bool = False) -> list[Any]:
        """Run commands in one round trip."""
        return await piped(self._pools.client, commands, errors=errors)

    async def server(self, _key: str) -> str:
        """There is only one."""
        return ""

    async def look(self) -> None:
        """There is nothing to notice."""

    async def close(self) -> None:
        """Close the pools."""
        await self._pools.close()


async def piped(client: Redis, commands: Sequence[Command], *, atomic: bool = False, errors: bool = False) -> list[Any]:
    """Run commands in one round trip; ``errors``: what the server refused is among the replies, instead of raised."""
    if not atomic:
        replies = await _round_trip(client, commands)
        if not errors and (refused := next((r for r in replies if isinstance(r, ResponseError)), None)):
            raise refused
        return replies
    async with client.pipeline(transaction=True) as pipe:
        for command in commands:
            pipe.execute_command(*command)
        return list(await pipe.execute(raise_on_error=not errors))


async def _round_trip(client: Redis, commands: Sequence[Command]) -> list[Any]:
    """Write all commands and read all replies: a third of the work of the library's pipeline, which is for more.

    A command's first word is one word here.
    """
    pool = client.connection_pool
    connection = await pool.get_connection()  # type: ignore[no-untyped-call]
    try:
        async with asyncio.timeout(connection.socket_timeout):
            packed = b"".join([pack_command(tuple(command)) for command in commands])  # type: ignore[arg-type] # any length
            await _send(connection, packed)
            return [await _reply(client, connection, command) for command in commands]
    except BaseException:
        # Replies may still come: whoever used this connection next would take them for his.
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)


async def _send(connection: Any, packed: bytes) -> None:  # noqa: ANN401 -- the library's connection
    try:
        await connection.send_packed_command(packed)
    except RuntimeError as error:
        if is_closed(error):
            raise ConnectionError("closed before it was written to") from error
        raise


async def _reply(client: Redis, connection: Any, command: Command) -> Any:  # noqa: ANN401 -- replies differ by command
    try:
        reply = await connection.read_response(timeout=math.inf)
    except ResponseError as error:
        return error
    read = client.response_callbacks.get(str(command[0]))
    return read(reply) if read is not None else reply


def key_of(command: Command) -> str:
    """Return the first key of a command; empty when it has none, and any server will do."""
    return next((word for word in command[1:] if isinstance(word, str) and word.startswith("c1:{")), "")
