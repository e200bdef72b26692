"""``redis.url``: the operator's own server is used, and no private one is started."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.agency_side import alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge
from tests.acceptance.operators_server import Server
from tests.acceptance.relay_side import free_port, send, until

PEOPLE = 20


async def test_own_server_is_used(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], server: Server, tmp_path: Path
) -> None:
    """Alerts go through the server of ``redis.url``; its total loss is repaired from this node's own disk."""
    relay = make_relay(channels={"console": console()}, redis={"url": server.url})
    async with on_duty(relay, people=PEOPLE) as agency:
        first = await agency.post(alert(1))
        await agency.completed(first.body["id"], within=30)
        held = await server.keys()
        private = relay.processes("redis")
        server.kill()
        second = await agency.post(alert(2))
        await server.start()
        ids = {1: first.body["id"], 2: second.body["id"]}
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert held > [0]
    assert not private
    assert not (relay.data_dir / "redis").exists()
    assert (second.status, second.redis) == (202, "pending")
    assert found.kept, found


async def test_worker_alone_ends_when_told_although_redis_is_away(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]]
) -> None:
    """A worker that waits for Redis since its start is not deaf to SIGTERM."""
    relay = make_relay(channels={"console": console()}, redis={"url": f"redis://127.0.0.1:{free_port()}"})
    relay.begin("--role", "worker")
    await until(lambda: "worker_waits" in relay.log, within=30, why="it waits for Redis")
    await asyncio.sleep(0.1)
    send(relay.pid, signal.SIGTERM)

    assert await relay.ended(within=8) == 0
