"""arq: ``python arq_jobs.py SOCKET JOBS AT_ONCE`` adds the jobs, lets one worker process them, and prints the seconds.

It runs in the peers' own environment and imports nothing of this tree.  Results are kept, as is arq's default.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop
from arq import create_pool, func
from arq.connections import ArqRedis, RedisSettings
from arq.worker import Worker

_ADDERS = 50
_POLL = 0.005  # arq waits half a second between two looks at its queue, unless told otherwise


async def noop(_: dict[Any, Any], recipient: int) -> None:
    """Do nothing."""


async def add(pool: ArqRedis, queue: str, count: int) -> None:
    """Add the jobs, some at a time: arq has no way to add many at once."""
    turns = iter(range(count))

    async def some() -> None:
        for number in turns:
            await pool.enqueue_job("noop", number, _queue_name=queue)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_ADDERS):
            tasks.create_task(some())


async def once(pool: ArqRedis, queue: str, count: int, *, at_once: int) -> dict[str, float]:
    """Add, then process; return the seconds of both, and how many results there are."""
    before, began = await pool.dbsize(), time.perf_counter()
    await add(pool, queue, count)
    added = time.perf_counter()
    worker = Worker(
        functions=[func(noop, name="noop")],
        queue_name=queue,
        redis_pool=pool,
        burst=True,
        max_jobs=at_once,
        poll_delay=_POLL,
        handle_signals=False,
        health_check_interval=3600,
    )
    await worker.async_run()
    ended = time.perf_counter()
    return {"added": added - began, "processed": ended - added, "kept": min(count, await pool.dbsize() - before)}


async def main(socket: str, count: int, at_once: int) -> None:
    """Warm up, then measure."""
    pool = await create_pool(RedisSettings(unix_socket_path=socket, max_connections=2 * _ADDERS))
    await once(pool, "warm", min(200, count), at_once=at_once)
    sys.stdout.write(json.dumps(await once(pool, "bench", count, at_once=at_once)))
    await pool.aclose()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
