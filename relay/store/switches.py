"""Switches and shared knowledge that belong to no alert: stop, paused channels, keys, workers, refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from relay.store.connection import Connection
from relay.store.keys import CTL_KEYS, CTL_REFUSED, CTL_SWITCHES, CTL_WORKERS

STOP = "stop"
REFUSED_KEPT = 500


class Switches:
    """The ``{ctl}`` slot."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection

    async def read(self) -> dict[str, str]:
        """Return all switches that are set: ``stop`` and ``pause:<channel>`` → who set it and when, as text."""
        return {k.decode(): v.decode() for k, v in (await self._redis.call("HGETALL", CTL_SWITCHES)).items()}

    async def set(self, name: str, text: str) -> None:
        """Set a switch."""
        await self._redis.call("HSET", CTL_SWITCHES, name, text)

    async def clear(self, name: str) -> None:
        """Clear a switch."""
        await self._redis.call("HDEL", CTL_SWITCHES, name)

    async def keys(self) -> dict[str, bytes]:
        """Return the register of keys: key id → entry as JSON."""
        return {k.decode(): v for k, v in (await self._redis.call("HGETALL", CTL_KEYS)).items()}

    async def put_keys(self, entries: Mapping[str, bytes]) -> None:
        """Store register entries."""
        await self._redis.pipe([("HSET", CTL_KEYS, key_id, entry) for key_id, entry in entries.items()])

    async def beat(self, worker_id: str, heartbeat: Mapping[str, Any]) -> None:
        """Store one worker's heartbeat."""
        await self._redis.call("HSET", CTL_WORKERS, worker_id, orjson.dumps(heartbeat))

    async def workers(self) -> dict[str, dict[str, Any]]:
        """Return the last heartbeat of each worker."""
        found = await self._redis.call("HGETALL", CTL_WORKERS)
        return {k.decode(): orjson.loads(v) for k, v in found.items()}

    async def forget_workers(self, worker_ids: Sequence[str]) -> None:
        """Forget workers that are gone."""
        if worker_ids:
            await self._redis.call("HDEL", CTL_WORKERS, *worker_ids)

    async def refused(self, entry: Mapping[str, Any]) -> None:
        """Remember a refused post, without its body."""
        await self._redis.pipe(
            [("LPUSH", CTL_REFUSED, orjson.dumps(entry)), ("LTRIM", CTL_REFUSED, 0, REFUSED_KEPT - 1)]
        )

    async def refusals(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest refused posts."""
        return [orjson.loads(row) for row in await self._redis.call("LRANGE", CTL_REFUSED, 0, limit - 1)]
