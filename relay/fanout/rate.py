"""Per-channel rate: tokens shared by all workers (GCRA in Redis)."""

from __future__ import annotations

import asyncio

from relay.adapter import Class
from relay.store.connection import Connection
from relay.store.partitions import Keys

#: A batch that cannot start within this time is deferred instead of holding its chunk (design §9).
PATIENCE = 0.25
_CLASSES = tuple(Class)
#: Tokens may gather for this many seconds.
_BURST = 0.25


class Rates:
    """The rates of all channels."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._redis = connection
        self._keys = keys

    async def take(self, channel: str, *, klass: Class, per_second: float, wanted: int, cost: int = 1) -> int:
        """Return how many of ``wanted`` items may start now, waiting up to :data:`PATIENCE` for the first.

        While a more urgent class waits for the rest of what it wanted, there is nothing for ``klass``.  ``cost`` is
        the number of submissions that one item is (SMS parts).

        Raises:
            StoreUnavailable: Redis is away.
        """
        if per_second <= 0:
            return wanted
        burst = max(1.0, per_second * _BURST)
        for _ in range(3):
            args = [per_second, burst, wanted, cost, _CLASSES.index(klass) + 1]
            granted, wait = await self._redis.run("rate", [self._keys.of_name(channel).rate(channel)], args)
            if granted or wait > PATIENCE * 1000:
                return int(granted)
            await asyncio.sleep(wait / 1000)
        return 0
