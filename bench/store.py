"""A look into the Redis of the relay that is measured: memory, records, and how fast the server is by itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from relay.adapter import Kind
from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.store.legs import Leg, Legs, state_array
from relay.tracking.states import RECORD_BYTES, TERMINAL

_PIPE = 64
_LOOKS, _PAUSE = 8, 0.05
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
    """One connection of the bench's own."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url, timeout=30.0)
        self._redis: Redis = self._connection.client
        self._legs = Legs(self._connection, Partition())

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def waiting(self) -> int:
        """Return how many deliveries nobody has claimed yet."""
        found = await self._legs.waiting(list(Kind))
        return sum(count for count, _ in found.values())

    async def planned(self, leg_id: str) -> float:
        """Return when a leg was made, in wall-clock seconds; 0 when there is none."""
        leg = await self._legs.get(leg_id)
        return leg.cursor.start / 1000 if leg is not None else 0.0

    async def settled(self, leg_ids: Sequence[str]) -> Settled:
        """Return when the deliveries of legs were settled, from their records (to 10 ms)."""
        legs = [leg for leg in await self._legs.get_many(leg_ids) if leg is not None]
        start = min(leg.cursor.start for leg in legs)
        times = np.concatenate([await self._ended(leg) + (leg.cursor.start - start) / 1000 for leg in legs])
        return Settled(len(times), float(times.min()), float(times.max()))

    async def _ended(self, leg: Leg) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        parts = [
            await self._legs.records(leg.leg_id, number, first=0, last=size)
            for number, size in enumerate(leg.cursor.sizes)
        ]
        data = b"".join(parts)
        # The fourth u32 of a record (relay/tracking/states.py): hundredths of a second until it was final.
        words = np.frombuffer(data, "<u4").reshape(-1, RECORD_BYTES // 4)
        hundredths = words[state_array(data) >= TERMINAL, 3]
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
        """Return what the server does by itself: deliveries a second as batches of 256 records, in pipelines.

        ``setrange`` writes the records and nothing else, ``evalsha`` does so in a script that also counts.
        """
        sha = await self._redis.script_load(_SCRIPT)
        batch = bytes(256 * RECORD_BYTES)

        def write(pipe: Any, at: int) -> None:  # noqa: ANN401 -- the library's pipeline
            pipe.setrange(_BARE, at * len(batch), batch)

        def script(pipe: Any, at: int) -> None:  # noqa: ANN401 -- the library's pipeline
            pipe.evalsha(sha, 2, _BARE, f"{_BARE}:n", at * len(batch), batch)

        rates = {}
        for name, command in (("setrange", write), ("evalsha", script)):
            done, began = 0, time.perf_counter()
            while (took := time.perf_counter() - began) < seconds:
                pipe = self._redis.pipeline(transaction=False)
                for at in range(_PIPE):
                    command(pipe, at)
                await pipe.execute()
                done += _PIPE * 256
            rates[name] = done / took
        await self._redis.delete(_BARE, f"{_BARE}:n")
        return rates


def _family(key: str) -> str:
    """Return what a key of relay/store/keys.py holds."""
    slot, _, rest = key.removeprefix("c1:").partition(":")
    names = {"r": "records", "s": "segments", "o": "outcome log", "l": "legs", "a": "alerts", "legs": "legs"}
    return "directory" if slot == "{dir}" else names.get(rest.partition(":")[0], "other")
