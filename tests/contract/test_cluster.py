"""A Cluster: each key goes to its primary, redirections are followed, and one dead primary stops nobody else."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.crc import key_slot

from relay.clock import SystemClock
from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.doctor import examine
from tests.contract.topology_side import bring_back, surely
from tests.redis_nodes import Node
from tests.topologies import Topology, start

KEYS = [f"c1:{{p{number}}}:x" for number in range(16)]


@pytest.fixture(scope="module")
def topology(cluster_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Three primaries with a replica each."""
    with start("cluster", server=cluster_server, folder=tmp_path_factory.mktemp("c"), patience_ms=1000) as made:
        yield made


@pytest.fixture
async def redis(topology: Topology) -> AsyncIterator[Connection]:
    """A connection to the Cluster."""
    connection = Connection(topology.url, timeout=1)
    yield connection
    await connection.close()


def elsewhere(topology: Topology, node: Node) -> str:
    """Return a key that ``node`` does not have."""
    return next(key for key in KEYS if topology.primary(key) is not node)


async def test_one_pipe_reaches_every_node(redis: Connection) -> None:
    """Replies come in the order of the commands, whoever gave them."""
    await redis.pipe([("SET", key, number) for number, key in enumerate(KEYS)])
    found = await redis.pipe([("GET", key) for key in KEYS])

    assert found == [str(number).encode() for number in range(16)]


async def test_script_in_each_slot(redis: Connection) -> None:
    """Each node is sent the script when it first needs it."""
    replies = [await redis.run("channel_index", [f"{key}:channels"], ["sms"]) for key in KEYS]

    assert replies == [1] * 16


async def test_slot_that_is_moving_is_followed(redis: Connection, topology: Topology) -> None:
    """Half-moved slots are asked for where they are, moved ones are found, and nothing is done twice."""
    key = KEYS[3]
    await redis.call("SET", key, 0)
    source = topology.primary(key)
    target = topology.primary(elsewhere(topology, source))
    slot = key_slot(key.encode())
    target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.call("CLUSTER", "MYID"))
    source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.call("CLUSTER", "MYID"))
    before = await redis.call("INCR", key)
    for moved in source.call("CLUSTER", "GETKEYSINSLOT", slot, 100):
        source.call("MIGRATE", "127.0.0.1", target.port, moved, 0, 1000)
    during = [await redis.call("INCR", key), *await redis.pipe([("INCR", key), ("INCR", key)])]
    for node in (target, source):
        node.call("CLUSTER", "SETSLOT", slot, "NODE", target.call("CLUSTER", "MYID"))
    after = await redis.call("INCR", key)

    assert [before, *during, after] == [1, 2, 3, 4, 5]
    assert topology.primary(key) is target


async def test_dead_primary_stops_only_its_own_slots(redis: Connection, topology: Topology) -> None:
    """The others go on at once, and its replica takes over."""
    await asyncio.to_thread(topology.settle)
    dead = topology.kill(topology.primary(KEYS[3]))
    with pytest.raises(StoreUnavailable):
        await redis.call("SET", KEYS[3], 1)
    alive = elsewhere(topology, dead)
    async with asyncio.timeout(0.5):
        await redis.call("SET", alive, 1)
    _, took = await surely(lambda: redis.call("SET", KEYS[3], 2))
    await bring_back(topology, dead)

    assert took < 8


async def test_frozen_primary_is_given_up(redis: Connection, topology: Topology) -> None:
    """One that accepts connections and says nothing costs one time-out, not one for every node."""
    await asyncio.to_thread(topology.settle)
    primary = topology.primary(KEYS[3])
    other = elsewhere(topology, primary)  # asked before: a frozen server does not say which slots it has
    frozen = topology.pause(primary)
    try:
        with pytest.raises(StoreUnavailable):
            await redis.call("SET", KEYS[3], 1)
        async with asyncio.timeout(1.9):  # a time-out is one second
            await redis.call("SET", other, 1)
        _, took = await surely(lambda: redis.call("SET", KEYS[3], 2))
    finally:
        await bring_back(topology, frozen)

    assert took < 10


async def test_what_the_doctor_sees(topology: Topology) -> None:
    """How many primaries there are, and which of them nobody would take over from."""
    await asyncio.to_thread(topology.settle)
    async with asyncio.timeout(20):
        # Which node copies which is news that spreads from node to node.
        while (facts := await examine(topology.url, timeout=2, clock=SystemClock())).bare:
            await asyncio.sleep(0.1)

    assert (facts.kind, facts.primaries, facts.bare, facts.min_replicas) == ("cluster", 3, (), "0")
