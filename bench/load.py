"""The load client: posts prepared requests over many connections, each waiting for its answer, as fast as it can.

``python -m bench.load PORT CONNECTIONS FILE`` reads the requests (each after its length, four bytes), posts them in
order, and prints what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import orjson
import uvloop

from bench.http1 import Answer, cut
from bench.stats import ms

_LENGTH = struct.Struct(">I")


def pack(requests: Sequence[bytes]) -> bytes:
    """Return requests as the file that this program reads."""
    return b"".join(_LENGTH.pack(len(request)) + request for request in requests)


def unpack(data: bytes) -> list[bytes]:
    """Return the requests of such a file."""
    found, at = [], 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        found.append(data[at : at + length])
        at += length
    return found


class Tally:
    """What was asked, and what was answered when."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self._turns: Iterator[bytes] = iter(requests)
        self._left = len(requests)
        self.done = asyncio.Event()
        self.statuses: Counter[int] = Counter()
        self.waits: list[float] = []
        self.sample = b""

    def next(self) -> bytes | None:
        """Return the next request; None when all were posted."""
        return next(self._turns, None)

    def add(self, answer: Answer, *, waited: float) -> None:
        """Count an answer."""
        self.statuses[answer.status] += 1
        self.waits.append(waited)
        self.sample = answer.body
        self._left -= 1
        if not self._left:
            self.done.set()


class Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to ask; :meth:`ask` begins."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        """Send the next request, if there is one."""
        request = self._tally.next()
        if request is not None and self._transport is not None:
            self._sent = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take the answer and ask again."""
        self._buffer += data
        if (answer := cut(self._buffer)) is not None:
            self._tally.add(answer, waited=time.perf_counter() - self._sent)
            self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop everything: a connection that is lost is not what was to be measured."""
        self._tally.done.set()


async def post(port: int, requests: Sequence[bytes], *, connections: int) -> dict[str, object]:
    """Post all requests; return counts of statuses, seconds, latencies in ms and the seconds of processor it took."""
    loop = asyncio.get_running_loop()
    tally = Tally(requests)
    made = [await loop.create_connection(lambda: Connection(tally), "127.0.0.1", port) for _ in range(connections)]
    cpu, began = time.process_time(), time.perf_counter()
    for _, connection in made:
        connection.ask()
    await tally.done.wait()
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    waits = tally.waits or [0.0]
    return {
        "statuses": {str(status): count for status, count in tally.statuses.items()},
        "seconds": took,
        "cpu": cpu,
        "p50_ms": ms(waits, 50),
        "p99_ms": ms(waits, 99),
        "sample": tally.sample[:500].decode("utf-8", "replace"),
    }


if __name__ == "__main__":
    asked = unpack(Path(sys.argv[3]).read_bytes())
    sys.stdout.buffer.write(orjson.dumps(uvloop.run(post(int(sys.argv[1]), asked, connections=int(sys.argv[2])))))
