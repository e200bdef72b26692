"""What the reconciler costs over ten million records: time of Redis by its own count, and of the worker.

    python -m bench.reconcile [--records 10000000] [--server redis-server]

A leg of 2,500 segments is laid into a private server, every record delivered but a few that wait for their provider's
receipt; then it is looked at as a worker does every half minute.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from relay.adapter import Class, Kind
from relay.clock import SystemClock
from relay.fanout.bell import Bells
from relay.fanout.channels import Channels
from relay.fanout.ids import leg_id
from relay.fanout.reconcile import Reconciler
from relay.fanout.segment import SEGMENT
from relay.settings import Engine
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.cursor import Cursor
from relay.store.embedded import EmbeddedServer
from relay.store.keys import Partition
from relay.store.legs import Legs
from relay.tracking.states import Record, State


async def lay(redis: Connection, keys: Partition, *, segments: int, waits: int) -> str:
    """Lay a leg into Redis whose chunks have all been sent; ``waits`` of each segment have no receipt yet."""
    now = int(time.time() * 1000)
    leg = leg_id("bench", kind=Kind.SMS, round_number=0)
    done = Record(state=State.DELIVERED, attempt=1, send=1, channel=1, accepted=10, ended=20).pack()
    sent = Record(state=State.ACCEPTED, attempt=1, send=1, channel=1, accepted=10).pack()
    blob = sent * waits + done * (SEGMENT - waits)
    cursor = Cursor(
        klass=Class.P3, segment=segments, expires=now + 3_600_000, start=now - 1000, sizes=(SEGMENT,) * segments
    )
    await redis.call("HSET", keys.legs, leg, cursor.pack())
    facts: dict[str, str | int] = {
        "alert": "bench",
        "kind": "sms",
        "n16": segments * (SEGMENT - waits),
        "n3": segments * waits,
    }
    await redis.call("HSET", keys.leg(leg), *[part for pair in facts.items() for part in pair])
    for start in range(0, segments, 100):
        await redis.pipe([("SET", keys.records(leg, n), blob) for n in range(start, min(start + 100, segments))])
    return leg


async def stats(redis: Connection) -> dict[str, tuple[int, int]]:
    """Return calls and microseconds by command."""
    info: dict[str, Any] = await redis.call("INFO", "commandstats")
    return {name.removeprefix("cmdstat_"): (row["calls"], row["usec"]) for name, row in info.items()}


async def server_cpu(redis: Connection) -> float:
    """Return the processor time of the server's main thread in seconds."""
    info: dict[str, Any] = await redis.call("INFO", "cpu")
    name = "_main_thread" if "used_cpu_user_main_thread" in info else ""
    return float(info[f"used_cpu_user{name}"]) + float(info[f"used_cpu_sys{name}"])


async def measure(url: str, *, records: int, waits: int) -> dict[str, Any]:
    """Lay the leg, look at it three times, and return the figures of the middle look."""
    redis, keys, clock = Connection(url, timeout=30), Partition(), SystemClock()
    segments = -(-records // SEGMENT)
    leg = await lay(redis, keys, segments=segments, waits=waits)
    legs = Legs(redis, keys)
    bells = Bells(redis, keys, [], look=1.0)
    reconciler = Reconciler(legs, Chunks(redis, keys), Channels({}), bells, engine=Engine(), clock=clock)
    looks: list[dict[str, Any]] = []
    for _ in range(3):
        await redis.call("CONFIG", "RESETSTAT")
        cpu, wall, before = time.process_time(), time.perf_counter(), await server_cpu(redis)
        await reconciler.look(leg)
        cpu, wall, after = time.process_time() - cpu, time.perf_counter() - wall, await server_cpu(redis)
        found = {name: row for name, row in (await stats(redis)).items() if not name.startswith("config")}
        longest = max(usec / calls for calls, usec in found.values() if calls)
        looks.append(
            {
                "redis_s": round(sum(usec for _, usec in found.values()) / 1e6, 4),
                "redis_cpu_s": round(after - before, 3),  # what the kernel does for its socket included
                "longest_command_ms": round(longest / 1000, 3),
                "worker_cpu_s": round(cpu, 3),
                "wall_s": round(wall, 3),
                "commands": {name: {"calls": calls, "usec": usec} for name, (calls, usec) in found.items()},
            }
        )
    await redis.close()
    return {"records": segments * SEGMENT, **sorted(looks, key=lambda look: float(look["redis_s"]))[1]}


async def main(arguments: argparse.Namespace) -> None:
    """Start a server, measure, print JSON."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder), clock=SystemClock(), server=arguments.server)
        url = await server.start()
        try:
            found = await measure(url, records=arguments.records, waits=arguments.waits)
        finally:
            await server.stop()
    print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--waits", type=int, default=4, help="records of each segment that wait for a receipt")
    parser.add_argument("--server", default="")
    asyncio.run(main(parser.parse_args()))
