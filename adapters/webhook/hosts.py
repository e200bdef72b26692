"""How much one host is asked at a time, so that a black hole never holds what others are waiting for."""

from __future__ import annotations

import asyncio
from collections import deque

_KEPT = 256  # hosts whose connections are kept alive; beyond, a host must be seen again first


class Host:
    """One host and port: at most ``limit`` posts are under way; ``posts`` counts all that were."""

    __slots__ = ("_waiting", "limit", "posts", "under_way")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.under_way = 0
        self.posts = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def try_enter(self, *, by: float) -> bool:
        """Take a slot if one is free and the loop's time ``by`` has not come."""
        if self.under_way >= self.limit or asyncio.get_running_loop().time() >= by:
            return False
        self.under_way += 1
        self.posts += 1
        return True

    async def enter(self, *, by: float) -> bool:
        """Take a slot, waiting in line until the loop's time ``by`` at most; return whether there was one in time."""
        loop = asyncio.get_running_loop()
        if self.try_enter(by=by):
            return True
        if loop.time() >= by:
            return False
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(by):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            # The slot may have been handed over in the same turn of the loop in which the time ran out.
            handed = turn.done() and not turn.cancelled()
            if isinstance(error, TimeoutError):
                return handed
            if handed:
                self.leave()
            raise
        return True

    def leave(self) -> None:
        """Hand the slot to whoever waits longest, or give it back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self.posts += 1
                return
        self.under_way -= 1


class Hosts:
    """The hosts seen lately, at most a few hundred and those under way."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._hosts: dict[str, Host] = {}

    def get(self, name: str) -> Host:
        """Return the host of this name; it becomes the one seen last."""
        host = self._hosts.pop(name, None)
        if host is None:
            host = Host(self._limit)
            if len(self._hosts) >= _KEPT:
                self._forget()
        self._hosts[name] = host
        return host

    def keeps_connection(self, host: Host) -> bool:
        """Return whether a connection to ``host`` is worth keeping open.

        A million recipients are a million hosts: keeping each connection for some seconds would use up the files
        that a process may open.
        """
        return host.posts > 1 or len(self._hosts) < _KEPT

    def _forget(self) -> None:
        idle = next((name for name, host in self._hosts.items() if host.under_way == 0), None)
        if idle is not None:
            del self._hosts[idle]
