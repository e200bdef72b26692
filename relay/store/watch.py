"""Watch: once a second, whether another server is the master now, or has the slots; and how the alerts are spread."""

from __future__ import annotations

import asyncio

import structlog

from relay.errors import StoreUnavailable
from relay.process import pause
from relay.store.connection import Connection
from relay.store.partitions import Keys, agree

log = structlog.get_logger()

_PERIOD = 1.0
#: How long a start waits for Redis to say how the alerts are spread.
_AT_START = 0.5


class Watch:
    """Looks at the servers; what it finds is used by every connection of the process."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._redis = connection
        self._keys = keys
        self._agreed = False

    async def begin(self) -> None:
        """Check the number of partitions if Redis is there; accepting does not wait for it.

        Raises:
            ConfigError: the alerts are spread over another number.
        """
        try:
            async with asyncio.timeout(_AT_START):
                await agree(self._redis, self._keys)
            self._agreed = True
        except (StoreUnavailable, TimeoutError):
            log.info("redis_not_there_yet")

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until ``stopping``.

        Raises:
            ConfigError: as for :meth:`begin`, as soon as Redis is there.
        """
        while not stopping.is_set():
            try:
                if not self._agreed:
                    await agree(self._redis, self._keys)
                    self._agreed = True
                await self._redis.look()
            except StoreUnavailable:
                log.debug("redis_not_looked_at")
            await pause(stopping, seconds=_PERIOD)
