"""Posting many prepared requests from a process of its own (``bench.load``)."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.client import NotReached
from bench.load import pack
from relay.process import terminate

_WITHIN = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What came of it: how many answers of each status, in how many seconds, and how long they took."""

    statuses: Mapping[str, int]
    seconds: float
    cpu: float
    p50_ms: float
    p99_ms: float
    sample: str

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return sum(self.statuses.values()) / self.seconds

    @property
    def client_busy(self) -> float:
        """The part of the time in which the client itself was busy: near 1, it was the limit."""
        return self.cpu / self.seconds


async def post_all(port: int, requests: Sequence[bytes], *, connections: int) -> Answers:
    """Post requests over some connections to a port of loopback, one at a time on each.

    Raises:
        NotReached: the client failed, or not all were answered.
    """
    with tempfile.TemporaryDirectory(prefix="chapar-bench-") as folder:
        file = Path(folder) / "requests"
        await asyncio.to_thread(file.write_bytes, pack(requests))
        words = [sys.executable, "-m", "bench.load", str(port), str(connections), str(file)]
        process = await asyncio.create_subprocess_exec(*words, stdout=PIPE)
        try:
            async with asyncio.timeout(_WITHIN):
                said, _ = await process.communicate()
        finally:
            await terminate(process, grace=5)
    if process.returncode:
        raise NotReached(f"the load client ended with {process.returncode}")
    answers = Answers(**orjson.loads(said))
    if sum(answers.statuses.values()) != len(requests):
        raise NotReached(f"of {len(requests)} requests {answers.statuses} were answered; the last: {answers.sample}")
    return answers
