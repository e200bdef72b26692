"""``redis-benchmark``, where it is on PATH: what the server does by itself, driven by a client in C."""

from __future__ import annotations

import asyncio
import csv
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from relay.tracking.states import RECORD_BYTES

_NAMES = ("valkey-benchmark", "redis-benchmark")
_BATCH = 256
_KEY = "c1:{p0}:bench"
_WITHIN = 60.0


async def deliveries_per_second(socket: Path, *, batches: int) -> float | None:
    """Return how many deliveries a second the server takes as batches of 256 records in a pipeline; None without it."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        return None
    setrange = ("setrange", _KEY, "0", "x" * (_BATCH * RECORD_BYTES))
    words = (found, "-s", str(socket), "-c", "4", "-P", "64", "-n", str(batches), "--csv", *setrange)
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE, stderr=DEVNULL)
    async with asyncio.timeout(_WITHIN):
        said, _ = await process.communicate()
    rate = per_second(said.decode())
    return None if rate is None else rate * _BATCH


def per_second(said: str) -> float | None:
    """Read the rate off what the program said as CSV; None when it is not there."""
    rows = [row for row in csv.reader(said.splitlines()) if len(row) > 1]
    try:
        return float(rows[-1][1])
    except (IndexError, ValueError):
        return None
