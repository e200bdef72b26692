"""Bells wake a lane, one worker for each ring; a lost one is found by a look."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from relay.errors import StoreUnavailable
from relay.fanout.bell import Bells
from relay.store.connection import Connection
from relay.store.keys import Partition

SMS = "c1:{p0}:bell:sms"
EMAIL = "c1:{p0}:bell:email"


class Lists:
    """A server with lists and blocking reads; ``away`` counts the reads that fail."""

    def __init__(self) -> None:
        self.lists: dict[str, deque[bytes]] = defaultdict(deque)
        self.popped: list[str] = []
        self.away = 0
        self.memory, self.work = 1, 0

    async def block(self, command: str, key: str, seconds: float, *, timeout: float) -> list[bytes] | None:
        assert command == "BLPOP"
        assert timeout > seconds
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        while not self.lists[key]:
            await asyncio.sleep(0.002)
        self.popped.append(key)
        return [key.encode(), self.lists[key].popleft()]

    async def call(self, command: str, *words: Any) -> int:
        if command == "LPUSH":
            self.lists[words[0]].appendleft(str(words[1]).encode())
        return self.memory if words == (Partition().run,) else self.work

    async def replies(self, commands: Sequence[Sequence[str]]) -> list[int]:
        return [await self.call(*command) for command in commands]


@pytest.fixture
def lists() -> Lists:
    return Lists()


def bells(lists: Lists, *, look: float = 60.0) -> Bells:
    return Bells(cast("Connection", lists), Partition(), ["sms", "email"], look=look)


@asynccontextmanager
async def listening(both: Bells) -> AsyncIterator[None]:
    """Let it listen until the block ends; what it rings at its start is heard already."""
    stopping = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(both.run(stopping))
        await asyncio.sleep(0.01)
        yield
        stopping.set()


async def test_ring_wakes_its_own_lane(lists: Lists) -> None:
    """A ring ends the wait of one lane; the other waits its time."""
    both = bells(lists)
    both.ring("sms")
    rang = await both.wait("sms", seconds=5)
    began = time.monotonic()
    other = await both.wait("email", seconds=0.05)

    assert (rang, other) == (True, False)
    assert time.monotonic() - began >= 0.05


async def test_one_ring_wakes_once(lists: Lists) -> None:
    """After a ring was heard the next wait lasts."""
    both = bells(lists)
    both.ring("sms")
    both.ring("sms")

    assert await both.wait("sms", seconds=5)
    assert not await both.wait("sms", seconds=0.02)


async def test_rings_of_other_processes_are_heard(lists: Lists) -> None:
    """A ring in Redis wakes its lane, and only that."""
    both = bells(lists)
    async with listening(both):
        await lists.call("LPUSH", EMAIL, "1")
        rang = await both.wait("email", seconds=4)
        other = await both.wait("sms", seconds=0.02)

    assert (rang, other) == (True, False)


async def test_redis_that_was_away_wakes_everybody(lists: Lists) -> None:
    """A blocking read that fails may mean another server: each lane asks it at once, for a claim tells."""
    lists.away = 2
    both = bells(lists)
    async with listening(both):
        rang = [await both.wait(lane, seconds=1) for lane in ("sms", "email")]

    assert rang == [True, True]


async def test_a_crowded_lane_passes_its_ring_on(lists: Lists) -> None:
    """A worker without a free hand hears the ring, for it may be a flash, and gives it to the next."""
    both = bells(lists)
    both.crowded.add("sms")
    async with listening(both):
        await lists.call("LPUSH", SMS, "8")
        rang = await both.wait("sms", seconds=4)
        while len(lists.popped) < 2:
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.02)

    # Passed on as 9, which is not passed on again: otherwise two full workers would play ball for ever.
    assert rang
    assert lists.popped == [SMS, SMS]


@pytest.mark.parametrize(("memory", "work", "rang"), [(1, 0, False), (0, 0, True), (1, 1, True), (0, 1, True)])
async def test_what_nobody_rang_for_is_found(lists: Lists, memory: int, work: int, rang: bool) -> None:
    """Where only the partition's memory is there, nobody is woken; where it is gone, or something waits, all are."""
    lists.memory, lists.work = memory, work
    both = bells(lists, look=0.03)
    async with listening(both):
        await both.wait("sms", seconds=0.001)

        assert await both.wait("sms", seconds=0.3) is rang


async def test_leaving_wakes_those_who_wait_and_one_elsewhere(lists: Lists) -> None:
    """Whoever sleeps here hears that it is over; and another worker looks at what this one may have heard last."""
    both = bells(lists)
    async with listening(both):
        pass

    assert await both.wait("sms", seconds=0.01)
    assert list(lists.lists[SMS]) == list(lists.lists[EMAIL]) == [b"1"]


async def test_rings_are_passed_on_only_while_the_lane_is_busy(lists: Lists) -> None:
    """Inside the block others are asked; at its end those who look after legs are woken."""
    both = bells(lists)
    with both.busy("sms"):
        inside = set(both.crowded)

    assert (inside, both.crowded) == ({"sms"}, set())
    assert await both.wait("checks", seconds=0.01)
