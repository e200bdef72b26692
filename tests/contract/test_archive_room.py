"""The archive room: its parts move an alert to disk, and its figures say what is where."""

import asyncio
from pathlib import Path

from relay.store.connection import Connection
from tests.contract.node_side import api_node


async def test_parts_archive_what_is_over(redis: Connection, tmp_path: Path) -> None:
    """A node archives what it refused to send; then the figures count it, and it is answered as before."""
    async with api_node(redis, tmp_path, archive={"after": 0.2}) as node:
        await node.catch_up()
        old = await node.post(node.xml("old", expires="2020-01-01T00:00:00+00:00", severity="Minor"))
        room = node.services.keeping
        assert room is not None
        before = await room.figures()
        node.clock.advance(60)
        stopping = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for name, part in node.node.parts.items():
                if name.startswith(("archivist", "late", "housekeeping")):
                    tasks.create_task(part.run(stopping), name=name)
            while not (await room.figures())["archive"]["alerts"]:
                await asyncio.sleep(0.05)
            stopping.set()
        after = await room.figures()
        state = await node.state(old.alert_id)
        left = await redis.call("EXISTS", f"c1:{{p0}}:a:{old.alert_id}")

    assert old.state == state == "expired"
    assert before["archive"] == {"alerts": 0, "bytes": 0, "error": None}
    assert after["archive"]["alerts"] == 1
    assert after["archive"]["bytes"] > 100
    assert 0 < after["memory"]["used"] < after["memory"]["limit"]
    assert left == 0


async def test_figures_without_redis(tmp_path: Path) -> None:
    """While Redis is away the archive is counted all the same."""
    nowhere = Connection("unix:///nowhere/redis.sock", timeout=0.2)
    async with api_node(nowhere, tmp_path) as node:
        assert node.services.keeping is not None
        found = await node.services.keeping.figures()
    await nowhere.close()

    assert found == {"archive": {"alerts": 0, "bytes": 0, "error": None}}
