"""The webhook sink: a process of its own that answers 204 as fast as Python can, and says when posts came.

``python -m bench.sink`` prints its port and runs until its standard input ends.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass
from typing import cast

import orjson
import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(slots=True)
class Tally:
    """Posts since the last reset: how many, when the first and the last came, and the last one whole."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0
    sample: bytes = b""

    def reset(self) -> None:
        """Begin anew."""
        self.count, self.first, self.last = 0, 0.0, 0.0

    def add(self, post: bytes, *, now: float) -> None:
        """Count one post."""
        self.count += 1
        self.first = self.first or now
        self.last = now
        self.sample = post

    def to_json(self) -> bytes:
        """Return the figures: seconds are monotonic, ``per_second`` is between the first and the last post."""
        took = self.last - self.first
        return orjson.dumps(
            {
                "count": self.count,
                "seconds": took,
                "per_second": (self.count - 1) / took if took > 0 else 0.0,
                "sample": self.sample.decode("latin-1"),
            }
        )


def cut(buffer: bytearray) -> bytes | None:
    """Take the first whole request off ``buffer``; None while there is none."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return None
    length = _LENGTH.search(bytes(buffer[: head + 2]))  # a copy: the buffer could not shrink while a match holds it
    end = head + 4 + (int(length[1]) if length else 0)
    if len(buffer) < end:
        return None
    request = bytes(buffer[:end])
    del buffer[:end]
    return request


def answer(request: bytes, tally: Tally, *, now: float) -> bytes:
    """Return what ``request`` is answered: figures for GET, a new start for DELETE, 204 for all else."""
    if request.startswith(b"GET "):
        body = tally.to_json()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    if request.startswith(b"DELETE "):
        tally.reset()
    else:
        tally.add(request, now=now)
    return _NO_CONTENT


class Connection(asyncio.Protocol):
    """One connection; requests may come in any pieces."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while (request := cut(self._buffer)) is not None:
            if self._transport is not None:
                self._transport.write(answer(request, self._tally, now=time.perf_counter()))


async def serve() -> None:
    """Listen until standard input ends."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    server = await loop.create_server(lambda: Connection(tally), "127.0.0.1", 0, backlog=4096)
    async with server:
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve())
