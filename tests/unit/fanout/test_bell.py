"""Bells wake a lane, and a missed one costs a pause at most."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import pytest

from relay.errors import StoreUnavailable
from relay.fanout.bell import Bells
from relay.store.connection import Connection
from relay.store.keys import Partition


class Lists:
    """A server whose blocking read returns what a test rings, or fails."""

    def __init__(self) -> None:
        self.rung: asyncio.Queue[str | Exception] = asyncio.Queue()
        self.keys: tuple[object, ...] = ()

    async def block(self, *command: object, timeout: float) -> list[bytes] | None:
        assert timeout > 1
        self.keys = command[1:-1]
        try:
            async with asyncio.timeout(0.05):
                told = await self.rung.get()
        except TimeoutError:
            return None
        if isinstance(told, Exception):
            raise told
        return [told.encode(), b"1"]


@pytest.fixture
def lists() -> Lists:
    return Lists()


def bells(lists: Lists) -> Bells:
    return Bells(cast("Connection", lists), Partition(), ["sms", "email"])


async def test_ring_wakes_its_own_lane(lists: Lists) -> None:
    """A ring ends the wait of one lane; the other waits its time."""
    both = bells(lists)
    both.ring("sms")
    began = time.monotonic()
    await both.wait("sms", seconds=5)
    woken = time.monotonic() - began
    await both.wait("email", seconds=0.05)

    assert woken < 1
    assert time.monotonic() - began >= 0.05


async def test_one_ring_wakes_once(lists: Lists) -> None:
    """After a ring was heard the next wait lasts."""
    both = bells(lists)
    both.ring("sms")
    both.ring("sms")
    await both.wait("sms", seconds=5)
    began = time.monotonic()
    await both.wait("sms", seconds=0.05)

    assert time.monotonic() - began >= 0.05


async def test_rings_of_other_processes_are_heard(lists: Lists) -> None:
    """One blocking read serves all lanes, and goes on after Redis was away."""
    both, stopping = bells(lists), asyncio.Event()
    lists.rung.put_nowait(StoreUnavailable("away"))
    lists.rung.put_nowait("c1:{p0}:bell:email")
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(both.run(stopping))
        await both.wait("email", seconds=5)
        stopping.set()

    assert lists.keys == ("c1:{p0}:bell:sms", "c1:{p0}:bell:email")
