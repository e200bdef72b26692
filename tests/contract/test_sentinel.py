"""Sentinels: the relay follows their word, and writes to nobody whom they do not call master."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from tests.contract.topology_side import surely
from tests.topologies import MASTER, Topology, start

KEY = "c1:{p0}:x"


@pytest.fixture(scope="module")
def topology(sentinel_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One master, two replicas and three Sentinels that act after a second."""
    with start("sentinel", server=sentinel_server, folder=tmp_path_factory.mktemp("s"), patience_ms=1000) as made:
        yield made


@pytest.fixture
async def redis(topology: Topology) -> AsyncIterator[Connection]:
    """A connection through the Sentinels."""
    connection = Connection(topology.url, timeout=1)
    yield connection
    await connection.close()


async def test_copies_are_counted_on_the_writing_connection(redis: Connection, topology: Topology) -> None:
    """A write that a replica has is a write with a copy; with frozen replicas it is one without, and no error."""
    copied, _ = await surely(lambda: redis.run_copied("channel_index", [KEY + "c"], ["sms"], replicas=1, within=1))
    for node in topology.nodes[1:]:
        topology.pause(node)
    alone = await redis.run_copied("channel_index", [KEY + "c"], ["email"], replicas=1, within=0.1)
    for node in topology.nodes[1:]:
        topology.resume(node)

    assert copied.reply == 1
    assert copied.replicas >= 1
    assert (alone.reply, alone.replicas) == (2, 0)


async def test_nobody_who_is_no_master_is_written_to(topology: Topology) -> None:
    """A Sentinel that was cut off names yesterday's master; that one says what it is, and is left alone."""
    connection = Connection(topology.url, timeout=1)
    await connection.call("SET", KEY, "kept")
    replica = next(node for node in topology.nodes if not node.is_primary())
    route = connection._route
    await route._go_to(type(route._master[0])("127.0.0.1", replica.port))  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        await connection.call("GET", KEY)
    found, _ = await surely(lambda: connection.call("GET", KEY))
    await connection.close()

    assert found == b"kept"


async def test_switch_is_heard_of_while_the_old_master_lives(redis: Connection, topology: Topology) -> None:
    """A planned failover: the next look finds the new master, although the old one still answers."""
    await surely(lambda: redis.call("SET", KEY, "before"))
    old = topology.primary()
    topology.sentinels[0].call("SENTINEL", "FAILOVER", MASTER)
    async with asyncio.timeout(20):
        while topology.primary() is old:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    await redis.look()
    await surely(lambda: redis.call("SET", KEY, "after"))

    assert await redis.call("GET", KEY) == b"after"
    assert topology.primary().call("GET", KEY) == "after"


async def test_dead_master_is_replaced(sentinel_server: str, tmp_path: Path) -> None:
    """After a kill the relay writes to the new master as soon as there is one; nothing hangs meanwhile."""
    with start("sentinel", server=sentinel_server, folder=tmp_path, patience_ms=1000) as topology:
        redis = Connection(topology.url, timeout=1)
        await redis.call("SET", KEY, 1)
        topology.kill(topology.primary())
        with pytest.raises(StoreUnavailable):
            await redis.call("INCR", KEY)
        _, took = await surely(lambda: redis.call("INCR", KEY))
        await redis.close()

    assert took < 8


async def test_silent_sentinels_hold_nobody_up(sentinel_server: str, tmp_path: Path) -> None:
    """While all Sentinels are frozen the master that is known is written to, also after a doubt."""
    with start("sentinel", server=sentinel_server, folder=tmp_path, patience_ms=10_000) as topology:
        redis = Connection(topology.url, timeout=1)
        await redis.call("SET", KEY, 0)
        for sentinel in topology.sentinels:
            topology.pause(sentinel)
        redis._route._doubted = True  # type: ignore[attr-defined]
        async with asyncio.timeout(4), asyncio.TaskGroup() as tasks:
            for _ in range(50):
                tasks.create_task(redis.call("INCR", KEY))
        found = await redis.call("GET", KEY)
        await redis.close()

    assert found == b"50"
