"""Copies: how many servers should have a write before it is answered, and how many have.

This node's journal is the first copy.  A replica that does not answer in time makes no error: the answer says how many
copies there are, and for a while nobody else waits for that replica.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from relay.store.connection import Connection

#: How long a write waits for its replicas, in seconds: a part of what accepting may take.
WITHIN = 0.1
#: After replicas were too slow once, nobody waits for them for so many seconds.
_REST = 2.0


class Copies:
    """Runs scripts whose writes are to be in several places."""

    def __init__(self, wanted: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """``wanted`` copies in all: 1 is this node's journal alone."""
        self._replicas = wanted - 1
        self._clock = clock
        self._not_before: dict[str, float] = {}  # by slot: one primary's replicas are not another's

    @classmethod
    def configured(cls, connection: Connection, copies: int) -> Copies:
        """Return what ``redis.copies`` means: 0 is two with Sentinels and on a Cluster, one elsewhere."""
        return cls(copies or (1 if connection.kind == "single" else 2))

    async def run(
        self, redis: Connection, name: str, keys: Sequence[str], args: Sequence[str | bytes | int | float]
    ) -> tuple[Any, int]:
        """Run a script; returns its reply and how many copies there are of what it wrote.

        Raises:
            StoreUnavailable: Redis is away.
        """
        slot = keys[0].partition("}")[0]
        if self._replicas < 1 or self._clock() < self._not_before.get(slot, 0.0):
            return await redis.run(name, keys, args), 1
        copied = await redis.run_copied(name, keys, args, replicas=self._replicas, within=WITHIN)
        if copied.replicas < self._replicas:
            self._not_before[slot] = self._clock() + _REST
        return copied.reply, 1 + copied.replicas
