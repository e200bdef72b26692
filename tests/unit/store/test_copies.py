"""Copies: what an answer says of them is true, and slow replicas slow nobody down for long."""

from typing import Any, cast

from relay.store.connection import Connection, Copied
from relay.store.copies import Copies


class Server:
    """Counts who waited; ``has`` replicas answer in time."""

    kind = "sentinel"

    def __init__(self, has: int) -> None:
        self.has = has
        self.waited = 0

    async def run(self, *_: Any) -> str:
        return "reply"

    async def run_copied(self, *_: Any, replicas: int, within: float) -> Copied:
        assert replicas >= 1
        assert 0 < within < 0.25
        self.waited += 1
        return Copied("reply", self.has)


async def told(copies: Copies, server: Server, key: str = "c1:{p0}:a") -> int:
    reply, count = await copies.run(cast("Connection", server), "accept", [key], [])
    assert reply == "reply"
    return count


async def test_replicas_that_have_it_are_counted() -> None:
    """With the journal of this node as the first."""
    assert await told(Copies(2), Server(has=1)) == 2
    assert await told(Copies(2), Server(has=2)) == 3


async def test_one_copy_waits_for_nobody() -> None:
    """The journal alone is a copy."""
    server = Server(has=2)

    assert await told(Copies(1), server) == 1
    assert server.waited == 0


async def test_slow_replica_is_not_waited_for_again_at_once() -> None:
    """The answer is honest, and the next hundred are fast."""
    now = 100.0
    server, copies = Server(has=0), Copies(2, clock=lambda: now)
    found = [await told(copies, server) for _ in range(100)]
    waited, now = server.waited, now + 3
    server.has = 1

    assert (found, waited) == ([1] * 100, 1)
    assert await told(copies, Server(has=1), "c1:{p1}:a") == 2
    assert await told(copies, server) == 2


async def test_what_the_setting_means() -> None:
    """0 is two where there are replicas, one elsewhere; any other number is meant."""
    server = Server(has=3)
    assert await told(Copies.configured(cast("Connection", server), 0), server) == 4
    assert await told(Copies.configured(cast("Connection", server), 1), server) == 1

    server.kind, server.waited = "single", 0
    assert await told(Copies.configured(cast("Connection", server), 0), server) == 1
    assert await told(Copies.configured(cast("Connection", server), 2), server) == 4
    assert server.waited == 1
