"""Together: commands of callers that wait at the same time go to Redis in one round trip.

While one trip is on its way, the next gathers; whoever boards a trip first makes it for all who board after him.  So
no task is needed, a lonely caller waits for nobody, and the busier it is the less a command costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import redis.exceptions

from relay.errors import StoreUnavailable
from relay.store.available import available
from relay.store.connection import Connection
from relay.store.route import Command
from relay.store.scripts import digest

#: A trip with this many commands takes nobody on any more: its first caller would wait too long for the last.
FULL = 256


class _Trip:
    """One round trip; when it is over it has ``replies`` (an error in place of one was refused) or a ``failure``."""

    __slots__ = ("commands", "failure", "over", "replies")

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.replies: list[Any] = []
        self.failure: StoreUnavailable | None = None
        self.over = asyncio.Event()


class Together(Connection):
    """A connection whose commands, scripts and pipes share round trips; all else goes the given connection's own way.

    An error that the server answers reaches its own caller only.  A long reply holds up all who share its trip: read
    such through the given connection.
    """

    def __init__(self, connection: Connection) -> None:
        # The given connection's pools: super().__init__ would make others, and who made them closes them.
        self.url, self.kind = connection.url, connection.kind
        self._route = connection._route  # noqa: SLF001 -- a connection too
        self._boarding: _Trip | None = None
        self._turn = asyncio.Lock()

    async def run(self, name: str, keys: Sequence[str], args: Command) -> Any:  # noqa: ANN401 -- replies are what the script returns
        """Run a script; see :meth:`Connection.run`."""
        (reply,) = await self._travel([("EVALSHA", digest(name), len(keys), *keys, *args)])
        if isinstance(reply, redis.exceptions.NoScriptError):
            return await super().run(name, keys, args)
        return await _checked(reply)

    async def call(self, *command: str | bytes | int | float) -> Any:  # noqa: ANN401 -- replies differ by command
        """Run one command; see :meth:`Connection.call`."""
        (reply,) = await self._travel([command])
        return await _checked(reply)

    async def pipe(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Any]:
        """Run commands in one round trip; see :meth:`Connection.pipe`."""
        if atomic or not commands:
            return await super().pipe(commands, atomic=atomic)
        return [await _checked(reply) for reply in await self._travel(commands)]

    async def _asked(self, commands: Sequence[Command]) -> list[Any]:
        return await self._travel(commands)

    async def _travel(self, commands: Sequence[Command]) -> list[Any]:
        """Return the replies to ``commands``, in order."""
        trip = self._boarding
        leads = trip is None or len(trip.commands) >= FULL
        if trip is None or leads:
            trip = self._boarding = _Trip()
        first = len(trip.commands)
        trip.commands += commands
        await (self._lead(trip) if leads else trip.over.wait())
        if trip.failure is not None:
            raise StoreUnavailable(*trip.failure.args)
        return trip.replies[first : first + len(commands)]

    async def _lead(self, trip: _Trip) -> None:
        """Make the trip when the one before is over."""
        try:
            async with self._turn:
                if self._boarding is trip:
                    self._boarding = None
                trip.replies = await self.replies(trip.commands)
        except StoreUnavailable as error:
            trip.failure = error
        except BaseException:
            # He who leads gave up: what became of the others' commands nobody knows, which is what this error says.
            trip.failure = StoreUnavailable("the round trip was given up")
            raise
        finally:
            if self._boarding is trip:
                self._boarding = None
            trip.over.set()


async def _checked(reply: Any) -> Any:  # noqa: ANN401 -- replies differ by command
    """Return a reply; one that is an error is raised as :class:`Connection` would raise it."""
    if isinstance(reply, Exception):
        async with available():
            raise reply
    return reply
