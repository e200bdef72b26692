"""Short words for tests that break a topology while they use it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from relay.errors import StoreUnavailable
from tests.redis_nodes import Node
from tests.topologies import Topology

Reply = TypeVar("Reply")

#: Longer than any failover of the tests takes, in seconds.
WITHIN = 20.0


async def surely(call: Callable[[], Awaitable[Reply]]) -> tuple[Reply, float]:
    """Try until Redis takes it; returns the reply and how many seconds that took."""
    began = time.monotonic()
    while True:
        try:
            return await call(), time.monotonic() - began
        except StoreUnavailable:
            assert time.monotonic() - began < WITHIN, "Redis did not come back"
            await asyncio.sleep(0.05)


async def bring_back(topology: Topology, node: Node) -> None:
    """Start a server that was killed, or wake one that was frozen, and wait until everything is in its place."""
    if node.alive:
        topology.resume(node)
    else:
        await asyncio.to_thread(topology.start, node)
    await asyncio.to_thread(topology.settle)
