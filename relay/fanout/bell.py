"""Bells: one blocking read per worker wakes whoever waits for work of a lane."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.keys import Partition

_BLOCK = 1.0


class Bells:
    """The wake-ups of one worker; a missed one costs at most the lane's own pause."""

    def __init__(self, connection: Connection, partition: Partition, lanes: Sequence[str]) -> None:
        self._redis = connection
        self._keys = {partition.bell(lane): lane for lane in lanes}
        self._events = {lane: asyncio.Event() for lane in lanes}

    def ring(self, lane: str) -> None:
        """Wake the lane in this process."""
        self._events[lane].set()

    async def wait(self, lane: str, *, seconds: float) -> None:
        """Wait until the lane's bell rings, at most ``seconds``."""
        event = self._events[lane]
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                await event.wait()
        except TimeoutError:
            return
        event.clear()

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen until ``stopping``."""
        while not stopping.is_set():
            try:
                reply = await self._redis.block("BLPOP", *self._keys, _BLOCK, timeout=_BLOCK + 2)
            except StoreUnavailable:
                await asyncio.sleep(0.2)
                continue
            if reply:
                self.ring(self._keys[reply[0].decode()])
