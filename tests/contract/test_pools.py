"""Pools: they wait for a free connection instead of failing, and they repeat nothing."""

import asyncio

import pytest

from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.testing.proxy import FaultProxy


async def test_more_callers_than_connections(redis: Connection) -> None:
    """Whoever finds all connections in use waits for one."""
    narrow = Connection(redis.url, timeout=5, pool=4)
    async with asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(narrow.call("INCR", "c1:{p0}:n")) for _ in range(300)]
    await narrow.close()

    assert sorted(call.result() for call in calls) == list(range(1, 301))


async def test_write_whose_reply_was_lost_is_not_repeated(redis: Connection) -> None:
    """The caller hears that nobody knows; the write was done once, not ten times."""
    host, _, port = redis.url.removeprefix("redis://").partition(":")
    async with FaultProxy((host, int(port))) as proxy:
        through = Connection(f"redis://127.0.0.1:{proxy.port}", timeout=2)
        await through.call("PING")
        proxy.drop_reply()
        with pytest.raises(StoreUnavailable):
            await through.call("INCR", "c1:{p0}:n")
        await through.close()

    assert await redis.call("GET", "c1:{p0}:n") == b"1"
