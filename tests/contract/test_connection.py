"""Connections: one error for "not now", and nothing is silently repeated."""

import asyncio
import time
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from relay.errors import ConfigError, StoreUnavailable
from relay.store.connection import Connection, UnknownCommand, available


async def test_commands_scripts_and_pipes(redis: Connection) -> None:
    """The ways to talk to Redis give their replies."""
    await redis.call("SET", "a", 1)
    piped = await redis.pipe([("INCR", "a"), ("INCR", "a")])
    atomic = await redis.pipe([("INCR", "a"), ("GET", "a")], atomic=True)

    assert piped == [2, 3]
    assert atomic == [4, b"4"]
    assert await redis.pipe([]) == []


async def test_forgotten_scripts_are_sent_again(redis: Connection) -> None:
    """A server that was restarted knows no scripts; nobody notices."""
    await redis.call("SCRIPT", "FLUSH")
    first = await redis.run("channel_index", ["channels"], ["sms"])
    second = await redis.run("channel_index", ["channels"], ["sms"])

    assert (first, second) == (1, 1)


async def test_server_that_is_away(tmp_path: Path) -> None:
    """Every way to talk says the same when there is no server."""
    connection = Connection(f"unix://{tmp_path}/nobody.sock", timeout=1)
    for call in (
        lambda: connection.call("PING"),
        lambda: connection.run("rate", ["k"], [1, 1, 1, 1, 1]),
        lambda: connection.pipe([("PING",)]),
        lambda: connection.block("BLPOP", "k", 1, timeout=2),
        lambda: connection.after_write(("SET", "k", 1), ("WAIT", 0, 1), timeout=1),
    ):
        with pytest.raises(StoreUnavailable):
            await call()
    await connection.close()


@pytest.mark.parametrize("word", ["LOADING", "MISCONF", "OOM", "NOREPLICAS", "READONLY", "MASTERDOWN", "CLUSTERDOWN"])
async def test_server_that_cannot_serve_now(word: str) -> None:
    """A server that is loading, full, or no master now is "not now" as well."""
    with pytest.raises(StoreUnavailable, match=word):
        async with available():
            raise ResponseError(f"{word} explained at length")


@pytest.mark.parametrize("atomic", [False, True])
async def test_full_server_is_no_defect_in_a_pipe_either(redis: Connection, atomic: bool) -> None:
    """In a pipe the library puts words of its own before the server's; "not now" is heard all the same."""
    await redis.call("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable, match="OutOfMemory"):
            await redis.pipe([("PING",), ("SET", "a", "caused error: ('NONE")], atomic=atomic)
    finally:
        await redis.call("CONFIG", "SET", "maxmemory", "0")


async def test_full_server_is_no_defect(redis: Connection) -> None:
    """The library has a class of its own for a full server; that is "not now" as well, in scripts too."""
    await redis.call("CONFIG", "SET", "maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable):
            await redis.call("SET", "a", "1")
        with pytest.raises(StoreUnavailable):
            await redis.run("channel_index", ["channels"], ["sms"])
    finally:
        await redis.call("CONFIG", "SET", "maxmemory", "0")


async def test_mistake_of_ours_is_no_outage(redis: Connection) -> None:
    """A wrong command is a defect and is not waited for."""
    with pytest.raises(ResponseError):
        await redis.call("GET")


async def test_paused_server_is_given_up(redis: Connection) -> None:
    """A server that does not answer in time is away; the call does not hang."""
    impatient = Connection(redis.url, timeout=0.1)
    await impatient.call("PING")
    await redis.call("CLIENT", "PAUSE", 600, "ALL")
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await impatient.call("PING")
    took = time.monotonic() - began
    await impatient.close()
    await asyncio.sleep(0.6)

    assert took < 0.5


async def test_blocking_read_is_bounded(redis: Connection) -> None:
    """A blocking read ends with nothing after its time."""
    assert await redis.block("BLPOP", "nothing", 0.05, timeout=2) is None


async def test_waiting_needs_a_command_that_is_known(redis: Connection) -> None:
    """An older server says that it cannot wait in this way."""
    with pytest.raises(UnknownCommand):
        await redis.after_write(("SET", "a", 1), ("WAITMOON", 1), timeout=1)

    assert await redis.after_write(("SET", "a", 1), ("WAIT", 0, 10), timeout=1) == 0


async def test_closing_leaves_nothing_open(redis: Connection) -> None:
    """After closing no connection to the server is left; the pools stayed open."""
    another = Connection(redis.url, timeout=2)
    await another.call("CLIENT", "SETNAME", "another")
    names_before = await redis.call("CLIENT", "LIST")
    await another.close()
    await asyncio.sleep(0.05)
    names_after = await redis.call("CLIENT", "LIST")

    assert "name=another" in str(names_before)
    assert "name=another" not in str(names_after)


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://redis", "redis+cluster://a:1,b:2/0", "redis+sentinel://a:1,b:2", ""]
)
def test_unusable_url_is_refused(url: str) -> None:
    """An address that cannot work is refused at the start, with a word on what does."""
    with pytest.raises(ConfigError, match=r"redis\.url"):
        Connection(url, timeout=1)
