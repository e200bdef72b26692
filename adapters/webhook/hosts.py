"""How much one host is asked at a time, so that a black hole never holds what others are waiting for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

_KEPT = 256  # hosts whose connections are kept alive; beyond, a host must be seen again first


@dataclass(slots=True)
class Host:
    """One host and port: ``slots`` bounds the posts under way, ``posts`` counts them."""

    limit: int
    slots: asyncio.Semaphore = field(init=False)
    under_way: int = 0
    posts: int = 0

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.limit)

    async def enter(self, *, by: float) -> bool:
        """Take a slot, waiting until the loop's time ``by`` at most; return whether one was free in time."""
        if asyncio.get_running_loop().time() >= by:
            return False
        try:
            # A free slot is taken without a timer: this is the path of nearly every post.
            if not self.slots.locked():
                await self.slots.acquire()
            else:
                async with asyncio.timeout_at(by):
                    await self.slots.acquire()
        except TimeoutError:
            return False
        self.under_way += 1
        self.posts += 1
        return True

    def leave(self) -> None:
        """Give the slot back."""
        self.under_way -= 1
        self.slots.release()


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
        idle = next(
            (name for name, host in self._hosts.items() if host.under_way == 0 and not host.slots.locked()), None
        )
        if idle is not None:
            del self._hosts[idle]
