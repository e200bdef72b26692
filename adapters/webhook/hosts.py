"""How much one host is asked at a time, so that a black hole never holds what others are waiting for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Protocol

from adapters.webhook.connection import Connection
from adapters.webhook.request import Origin

_KEPT: Final = 256  # hosts whose connections are kept alive; beyond, a host must be seen again first
_MOST_IDLE: Final = 512  # unused connections to all hosts together
_IDLE: Final = 15.0  # seconds that an unused connection is kept


class Turn(Protocol):
    """Something that wants to be asked of a host; one of the two is called, once, unless it is forgotten."""

    by: float
    """The loop's time by which it must have begun."""

    def begin(self, connection: Connection | None, *, now: float) -> None:
        """Go ahead, over ``connection`` if there is one; call :meth:`Host.leave` at the end."""
        ...

    def refuse(self) -> None:
        """There was no room in time."""
        ...


@dataclass(slots=True)
class Unused:
    """How many connections to all hosts together are kept unused."""

    count: int = 0


class Host:
    """One host and port: at most ``limit`` turns are under way; ``turns`` counts all that were.

    ``silent`` is set while the host gives no answers: then one turn at a time finds out whether that is still so, and
    the others are refused at once instead of waiting in vain.
    """

    __slots__ = ("_idle", "_unused", "_waiting", "headers", "limit", "origin", "silent", "turns", "under_way")

    def __init__(self, limit: int, origin: Origin, headers: bytes, *, unused: Unused) -> None:
        self.limit = limit
        self.origin = origin
        self.headers = headers
        self.silent = False
        self.turns = 0
        self.under_way = 0
        self._idle: list[Connection] = []
        self._unused = unused
        self._waiting: OrderedDict[Turn, None] = OrderedDict()

    def enter(self, turn: Turn, *, now: float) -> bool:
        """Begin or refuse ``turn`` now and return True, or let it wait in line and return False."""
        if self.under_way < (1 if self.silent else self.limit) and now < turn.by:
            self.under_way += 1
            self.turns += 1
            turn.begin(self._connection(now), now=now)
            return True
        if self.silent or now >= turn.by:
            turn.refuse()
            return True
        self._waiting[turn] = None
        return False

    def leave(self, connection: Connection | None, *, now: float) -> None:
        """Hand the slot, and ``connection`` if it is usable, to whoever waits longest, or take them back."""
        if connection is not None:
            connection.idle_since = now
            self._idle.append(connection)
            self._unused.count += 1
        while self._waiting:
            turn, _ = self._waiting.popitem(last=False)
            if now < turn.by:
                self.turns += 1
                turn.begin(self._connection(now), now=now)
                return
            turn.refuse()
        self.under_way -= 1

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a turn."""
        return bool(self._waiting)

    def forget(self, turn: Turn) -> None:
        """Take ``turn`` out of the line; harmless when it is not in it."""
        self._waiting.pop(turn, None)

    def hush(self) -> None:
        """Note that the host gave no answer in time: nobody waits for it any more."""
        self.silent = True
        waiting, self._waiting = self._waiting, OrderedDict()
        for turn in waiting:
            turn.refuse()

    def drop_idle(self, *, before: float) -> bool:
        """Cut the connections that are unused since ``before``; return whether any is left."""
        for connection in self._idle:
            if connection.idle_since < before:
                connection.cut()
        before_that = len(self._idle)
        self._idle = [connection for connection in self._idle if connection.usable]
        self._unused.count -= before_that - len(self._idle)
        return bool(self._idle)

    def _connection(self, now: float) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            self._unused.count -= 1
            if connection.usable and now - connection.idle_since < _IDLE:
                return connection
            connection.cut()
        return None


class Hosts:
    """The hosts seen lately, at most a few hundred and those under way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._hosts: dict[str, Host] = {}
        self._unused = Unused()
        self._sweeper: asyncio.TimerHandle | None = None

    def find(self, name: str) -> Host | None:
        """Return the host of this name (:attr:`Origin.name`) if it is remembered; it becomes the one seen last."""
        host = self._hosts.pop(name, None)
        if host is not None:
            self._hosts[name] = host
        return host

    def add(self, origin: Origin, *, headers: bytes) -> Host:
        """Remember a host that :meth:`find` does not know; ``headers`` are those of every request to it."""
        if len(self._hosts) >= _KEPT:
            self._forget()
        host = self._hosts[origin.name] = Host(self._limit, origin, headers, unused=self._unused)
        return host

    def leave(self, host: Host, connection: Connection | None, *, now: float) -> None:
        """End a turn at ``host``; ``connection`` is kept if it is usable and worth keeping."""
        if connection is None or not (connection.usable and self.keeps_connection(host)):
            if connection is not None:
                connection.cut()
            host.leave(None, now=now)
            return
        host.leave(connection, now=now)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(_IDLE, self._sweep)

    def keeps_connection(self, host: Host) -> bool:
        """Return whether a connection to ``host`` is worth keeping open.

        A million recipients are a million hosts: keeping each connection for some seconds would use up the files
        that a process may open.
        """
        worth_it = host.turns > 1 or len(self._hosts) < _KEPT
        return host.wanted or (worth_it and self._unused.count < _MOST_IDLE)

    def close(self) -> None:
        """Cut every connection that nobody uses."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for host in self._hosts.values():
            host.drop_idle(before=float("inf"))

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        left = [host.drop_idle(before=loop.time() - _IDLE) for host in self._hosts.values()]
        self._sweeper = loop.call_later(_IDLE, self._sweep) if any(left) else None

    def _forget(self) -> None:
        idle = next((name for name, host in self._hosts.items() if host.under_way == 0), None)
        if idle is not None:
            self._hosts.pop(idle).drop_idle(before=float("inf"))
