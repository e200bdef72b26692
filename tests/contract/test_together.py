"""Commands that share a round trip: each caller hears of his own, and one who gives up stops nobody for long."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ResponseError

from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.route import Command
from relay.store.together import FULL, Together


class Counting(Connection):
    """A connection that counts its round trips, and can be made to wait before each."""

    def __init__(self, url: str) -> None:
        super().__init__(url, timeout=5)
        self.trips: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()


class Watched(Together):
    """Together over a counting connection."""

    def __init__(self, connection: Counting) -> None:
        super().__init__(connection)
        self._counting = connection

    async def replies(self, commands: Any) -> list[Any]:
        self._counting.trips.append(len(commands))
        await self._counting.gate.wait()
        return await super().replies(commands)


@pytest.fixture
async def counting(redis: Connection) -> Any:
    connection = Counting(redis.url)
    yield connection
    await connection.close()


async def test_one_caller_goes_at_once(counting: Counting) -> None:
    """A lonely command, script or pipe needs nobody else."""
    together = Watched(counting)
    await together.call("SET", "c1:{p}a", 1)

    assert await together.pipe([("INCR", "c1:{p}a"), ("GET", "c1:{p}a")]) == [2, b"2"]
    assert await together.run("channel_index", ["c1:{p}channels"], ["sms"]) == 1
    assert await together.pipe([]) == []
    assert await together.pipe([("INCR", "c1:{p}a"), ("INCR", "c1:{p}a")], atomic=True) == [3, 4]
    assert counting.trips == [1, 2, 1]


async def test_who_waits_at_the_same_time_shares_a_trip(counting: Counting) -> None:
    """While one trip is on its way the next gathers, and everybody gets the replies to his own commands."""
    together = Watched(counting)
    counting.gate.clear()
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(together.pipe([("ECHO", n), ("ECHO", -n)])) for n in range(10)]
        await asyncio.sleep(0)
        counting.gate.set()

    assert [task.result() for task in asked] == [[b"%d" % n, b"%d" % -n] for n in range(10)]
    assert len(counting.trips) == 2
    assert sum(counting.trips) == 20


async def test_scripts_share_a_trip_too(counting: Counting) -> None:
    """Settles of many receipts or answers at the same time; a script that the server does not know yet is sent again."""
    together = Watched(counting)
    await counting.call("SCRIPT", "FLUSH")
    names = [[f"c1:{{p}}channels{n}"] for n in range(5)]
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(together.run_many("channel_index", [(key, ["sms"])])) for key in names]
    first = len(counting.trips)
    async with asyncio.TaskGroup() as tasks:
        again = [tasks.create_task(together.run_many("channel_index", [(key, ["mail"])])) for key in names]

    assert [task.result() for task in asked] == [[1]] * 5
    assert [task.result() for task in again] == [[2]] * 5
    assert len(counting.trips) - first == 2
    assert await together.run_many("channel_index", []) == []


async def test_trip_is_bounded(counting: Counting) -> None:
    """More than a trip takes wait for the next; nobody is left behind."""
    together = Watched(counting)
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(together.call("ECHO", n)) for n in range(3 * FULL)]

    assert [task.result() for task in asked] == [b"%d" % n for n in range(3 * FULL)]
    assert max(counting.trips) <= FULL


async def test_refusal_reaches_its_own_caller_only(counting: Counting) -> None:
    """What the server refuses one caller is no business of the others; a full server is "not now" here too."""
    together = Watched(counting)
    await together.call("SET", "c1:{p}text", "x")
    async with asyncio.TaskGroup() as tasks:
        good = tasks.create_task(together.call("ECHO", "good"))
        bad = tasks.create_task(_error(together, ("INCR", "c1:{p}text")))
    await counting.call("CONFIG", "SET", "maxmemory", "1")
    try:
        full = await _error(together, ("SET", "c1:{p}b", 1))
    finally:
        await counting.call("CONFIG", "SET", "maxmemory", "0")

    assert good.result() == b"good"
    assert isinstance(bad.result(), ResponseError)
    assert isinstance(full, StoreUnavailable)


async def test_forgotten_script_is_sent_again(counting: Counting) -> None:
    """A server that was restarted knows no scripts; nobody notices."""
    together = Watched(counting)
    await counting.call("SCRIPT", "FLUSH")

    assert await together.run("channel_index", ["c1:{p}channels"], ["sms"]) == 1


async def test_caller_who_gives_up(counting: Counting) -> None:
    """When the one who made a trip is cancelled, those who shared it hear that nobody knows, and the next goes on."""
    together = Watched(counting)
    counting.gate.clear()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(together.call("ECHO", 1))
        await asyncio.sleep(0)
        leader = tasks.create_task(together.call("ECHO", 2))
        await asyncio.sleep(0)
        follower = tasks.create_task(_error(together, ("ECHO", 3)))
        await asyncio.sleep(0)
        leader.cancel()
        await asyncio.sleep(0)
        counting.gate.set()

    assert first.result() == b"1"
    assert isinstance(follower.result(), StoreUnavailable)
    assert await together.call("ECHO", 4) == b"4"


async def test_follower_who_gives_up_hurts_nobody(counting: Counting) -> None:
    """One who is cancelled while others make his trip is forgotten."""
    together = Watched(counting)
    counting.gate.clear()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(together.call("ECHO", 1))
        await asyncio.sleep(0)
        leader = tasks.create_task(together.call("ECHO", 2))
        follower = tasks.create_task(together.call("ECHO", 3))
        await asyncio.sleep(0)
        follower.cancel()
        counting.gate.set()

    assert (first.result(), leader.result()) == (b"1", b"2")
    assert follower.cancelled()


async def test_server_that_is_away(tmp_path: Path) -> None:
    """All who share a trip to nobody hear it."""
    connection = Connection(f"unix://{tmp_path}/nobody.sock", timeout=1)
    together = Together(connection)
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(_error(together, ("PING",))) for _ in range(5)]
    await connection.close()

    assert all(isinstance(task.result(), StoreUnavailable) for task in asked)


async def _error(together: Together, command: Command) -> BaseException | None:
    try:
        await together.call(*command)
    except (StoreUnavailable, ResponseError) as error:
        return error
    return None
