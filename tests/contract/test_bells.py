"""Bells between workers of one server: one ring wakes one of them, and never only one that is full."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from relay.fanout.bell import Bells
from tests.contract.engine_side import LANE, Engine


@asynccontextmanager
async def workers(engine: Engine, count: int) -> AsyncIterator[list[Bells]]:
    """Let so many workers listen; what rings at their start is heard already."""
    made = [Bells(engine.redis, engine.keys, [LANE], look=60.0) for _ in range(count)]
    stopping = asyncio.Event()
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for bells in made:
            tasks.create_task(bells.run(stopping))
        await asyncio.sleep(0.1)
        for bells in made:
            await bells.wait(LANE, seconds=0.01)
        yield made
        stopping.set()


async def ring(engine: Engine) -> None:
    await engine.redis.call("LPUSH", engine.keys.bell(LANE), "1")


async def test_one_ring_wakes_one_of_three(engine: Engine) -> None:
    """Nobody comes for nothing, and each ring finds somebody."""
    async with workers(engine, 3) as three:
        woken = []
        for _ in range(5):
            await ring(engine)
            async with asyncio.TaskGroup() as tasks:
                waits = [tasks.create_task(bells.wait(LANE, seconds=0.15)) for bells in three]
            woken.append(sum(wait.result() for wait in waits))

    assert woken == [1] * 5


async def test_news_goes_to_whoever_is_free(engine: Engine) -> None:
    """Of three workers two are full: whoever hears the ring first, the free one has it within a moment, every time."""
    async with workers(engine, 3) as (one, two, free):
        one.crowded.add(LANE)
        two.crowded.add(LANE)
        took = []
        for _ in range(10):
            began = monotonic()
            await ring(engine)
            assert await free.wait(LANE, seconds=5)
            took.append(monotonic() - began)

    assert sorted(took)[5] < 0.25
    assert max(took) < 2


async def test_a_ring_ends_where_all_are_full(engine: Engine) -> None:
    """Full workers do not play ball for ever: the ring is dropped, and each claims by itself when a hand is free."""
    async with workers(engine, 2) as both:
        for bells in both:
            bells.crowded.add(LANE)
        await engine.redis.call("CONFIG", "RESETSTAT")
        await ring(engine)
        await asyncio.sleep(0.3)
        pushed = re.search(r"cmdstat_lpush\W+calls\W+(\d+)", str(await engine.redis.call("INFO", "commandstats")))
        left = await engine.redis.call("LLEN", engine.keys.bell(LANE))

    assert pushed is not None
    assert (int(pushed[1]), left) == (9, 0)
