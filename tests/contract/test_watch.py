"""Watch: the number of partitions is fixed with the first start."""

import asyncio

import pytest

from relay.errors import ConfigError
from relay.store.connection import Connection
from relay.store.keys import CTL_PARTITIONS
from relay.store.partitions import Partitions
from relay.store.watch import Watch


async def test_first_start_fixes_the_number(redis: Connection) -> None:
    """Another number is refused at the next start, with what to set."""
    await Watch(redis, Partitions(16)).begin()

    assert await redis.call("GET", CTL_PARTITIONS) == b"16"
    with pytest.raises(ConfigError, match="set it to 16"):
        await Watch(redis, Partitions(8)).begin()


async def test_number_is_checked_when_redis_comes() -> None:
    """A start does not wait for Redis; the check is made as soon as it answers."""
    connection = Connection("redis://127.0.0.1:1", timeout=0.2)
    watch, stopping = Watch(connection, Partitions(16)), asyncio.Event()
    await watch.begin()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(watch.run(stopping))
        await asyncio.sleep(0.05)
        stopping.set()
    await connection.close()

    assert not watch._agreed
