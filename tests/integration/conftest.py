"""Real servers for the tests of this folder that send through the engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.adapter import Kind
from relay.settings import Channel
from relay.store.connection import Connection
from tests.contract.conftest import pytest_generate_tests, redis, server_url, topology
from tests.integration.sender_side import Node, NodeOf

__all__ = ["pytest_generate_tests", "redis", "server_url", "topology"]


@pytest.fixture
async def node_of(redis: Connection, tmp_path: Path) -> AsyncIterator[NodeOf]:
    """Make the node; its channels are closed at the end."""
    made: list[Node] = []

    def make(*, idempotent: bool = True, kind: Kind = Kind.SMS, channel: Channel | None = None) -> Node:
        made.append(Node(redis, tmp_path, channel=channel, kind=kind, idempotent=idempotent))
        return made[-1]

    yield make
    for node in made:
        await node.channels.close(deadline=1)
