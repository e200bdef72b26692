"""A look into the Redis of the relay that is measured: memory, records, and how fast the server is by itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bench.benchmark import deliveries_per_second
from relay.adapter import Kind
from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.store.legs import Leg, Legs, state_array
from relay.tracking.states import RECORD_BYTES, TERMINAL, State

Seconds = np.ndarray[tuple[int], np.dtype[np.float64]]

_PIPE = 64
_LEGS = 1000
_LOOKS, _PAUSE = 8, 0.05
_FAMILIES = {
    "r": "records",
    "s": "segments",
    "o": "outcome log",
    "l": "legs",
    "legs": "legs",
    "a": "alerts",
    "alerts": "alerts",
    "k0": "keys of duplicates",
    "k1": "keys of duplicates",
    "t": "keys of duplicates",
    "ref": "keys of duplicates",
    "pid": "provider ids",
    "early": "provider ids",
    "parts": "provider ids",
    "open": "newest alert of an address",
}
_BARE = "c1:{p0}:bench"
_SCRIPT = """
redis.call('SETRANGE', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], 'n16', 256)
return {0, 0, 0}
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """When the deliveries of an alert were settled, in seconds since the first of their legs was made."""

    deliveries: int
    first: float
    last: float

    @property
    def per_second(self) -> float:
        """Deliveries a second between the first and the last."""
        return self.deliveries / max(self.last - self.first, 0.01)


class Store:
    """Connections of the bench's own."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url, timeout=30.0)
        self._socket = Path(unquote(urlsplit(url).path))
        self._redis = Redis.from_url(url, socket_timeout=30.0)
        self._legs = Legs(self._connection, Partition())

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._connection.close()

    async def waiting(self) -> int:
        """Return how many deliveries nobody has claimed yet."""
        found = await self._legs.waiting(list(Kind))
        return sum(count for count, _ in found.values())

    async def server(self) -> dict[str, str]:
        """Return family and version of the server, and its rule for the append-only file."""
        info = await self._redis.info("server")
        family = "Valkey" if "valkey_version" in info else "Redis"
        rule = await self._redis.config_get("append*")
        on = rule.get("appendonly") == "yes"
        return {
            "server": f"{family} {info.get('valkey_version', info.get('redis_version'))}",
            "aof": f"appendfsync {rule.get('appendfsync')}" if on else "off",
        }

    async def log_size(self) -> tuple[int, int]:
        """Return the bytes of the append-only file, and how often it has been written anew."""
        info = await self._redis.info("persistence")
        return int(info.get("aof_current_size", 0)), int(info.get("aof_rewrites", 0))

    async def planned(self, leg_id: str) -> float:
        """Return when a leg was made, in wall-clock seconds; 0 when there is none."""
        leg = await self._legs.get(leg_id)
        return leg.cursor.start / 1000 if leg is not None else 0.0

    async def claimed(self, leg_ids: Sequence[str]) -> tuple[int, int]:
        """Return how many deliveries of legs were claimed at least once, and how many there are."""
        cursors = [leg.cursor for leg in await self._found(leg_ids)]
        claimed = sum(sum(cursor.sizes[: cursor.segment]) + cursor.position for cursor in cursors)
        return claimed, sum(cursor.total for cursor in cursors)

    async def settled(self, leg_ids: Sequence[str]) -> Settled:
        """Return when the deliveries of legs were settled, from their records (to 10 ms)."""
        legs = await self._found(leg_ids)
        start = min(leg.cursor.start for leg in legs)
        times = np.concatenate([await self._ended(leg) + (leg.cursor.start - start) / 1000 for leg in legs])
        return Settled(len(times), float(times.min()), float(times.max()))

    async def settled_count(self, leg_ids: Sequence[str]) -> int:
        """Return how many deliveries of legs have ended."""
        legs = await self._found(leg_ids)
        return sum(count for leg in legs for state, count in leg.counts.items() if state.terminal)

    async def told(self, leg_id: str) -> Seconds:
        """Return when each delivery of a leg was recorded as delivered, in wall-clock seconds (to 10 ms)."""
        (leg,) = await self._found([leg_id])
        return leg.cursor.start / 1000 + await self._ended(leg, State.DELIVERED)

    async def _found(self, leg_ids: Sequence[str]) -> list[Leg]:
        found: list[Leg] = []
        for first in range(0, len(leg_ids), _LEGS):
            asked = leg_ids[first : first + _LEGS]
            found += [leg for leg in await self._legs.get_many(asked) if leg is not None]
        return found

    async def _ended(self, leg: Leg, state: State | None = None) -> Seconds:
        parts = [
            await self._legs.records(leg.leg_id, number, first=0, last=size)
            for number, size in enumerate(leg.cursor.sizes)
        ]
        data = b"".join(parts)
        # The fourth u32 of a record (relay/tracking/states.py): hundredths of a second until it was final.
        words = np.frombuffer(data, "<u4").reshape(-1, RECORD_BYTES // 4)
        states = state_array(data)
        hundredths = words[states >= TERMINAL if state is None else states == state, 3]
        return np.asarray(hundredths, np.float64) / 100

    async def memory(self) -> int:
        """Return the bytes that the data takes: what clients and the log's buffer hold meanwhile is left out."""
        with contextlib.suppress(ResponseError):  # not built with an allocator that knows it
            await self._redis.execute_command("MEMORY", "PURGE")  # type: ignore[no-untyped-call]
        readings = []
        for _ in range(_LOOKS):
            info = await self._redis.info("memory")
            readings.append(info["used_memory"] - info.get("mem_clients_normal", 0) - info.get("mem_aof_buffer", 0))
            await asyncio.sleep(_PAUSE)
        return int(min(readings))

    async def sizes(self) -> dict[str, int]:
        """Return the bytes of all keys by what they hold, as the server accounts for them."""
        sizes: dict[str, int] = {}
        async for key in self._redis.scan_iter(count=1000):
            size = await self._redis.memory_usage(key, samples=0)
            name = _family(key.decode())
            sizes[name] = sizes.get(name, 0) + int(size or 0)
        return sizes

    async def bare(self, seconds: float) -> dict[str, float]:
        """Return what the server does by itself: deliveries a second as batches of 256 records, in pipelines of 64.

        ``setrange`` writes the records and nothing else, ``evalsha`` does so in a script that also counts; both from
        a client in Python.  ``redis_benchmark`` is ``setrange`` from a client in C, where there is one.
        """
        sha = await self._redis.script_load(_SCRIPT)
        batch = bytes(256 * RECORD_BYTES)

        def write(pipe: Any, at: int) -> None:  # noqa: ANN401 -- the library's pipeline
            pipe.setrange(_BARE, at * len(batch), batch)

        def script(pipe: Any, at: int) -> None:  # noqa: ANN401 -- the library's pipeline
            pipe.evalsha(sha, 2, _BARE, f"{_BARE}:n", at * len(batch), batch)

        rates = {"setrange": await self._rate(write, seconds), "evalsha": await self._rate(script, seconds)}
        rate = await deliveries_per_second(self._socket, batches=int(rates["setrange"] / 256 * seconds) + 64)
        await self._redis.delete(_BARE, f"{_BARE}:n")
        return rates if rate is None else {**rates, "redis_benchmark": rate}

    async def _rate(self, command: Callable[[Any, int], None], seconds: float) -> float:
        done, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            pipe = self._redis.pipeline(transaction=False)
            for at in range(_PIPE):
                command(pipe, at)
            await pipe.execute()
            done += _PIPE * 256
        return done / took


def _family(key: str) -> str:
    """Return what a key of relay/store/keys.py holds."""
    slot, _, rest = key.removeprefix("c1:").partition(":")
    word = rest.partition(":")[0]
    return "directory" if slot == "{dir}" else _FAMILIES.get(word, "engine" if slot.startswith("{p") else "other")
