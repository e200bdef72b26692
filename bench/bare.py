"""The bare client that E5 is compared with: an aiohttp loop that posts the same bytes to the same sink.

``python -m bench.bare URL COUNT AT_ONCE`` reads one recorded request from standard input and posts it COUNT times.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import aiohttp
import uvloop
from aiohttp.payload import BytesPayload
from yarl import URL

_LEFT_OUT = {"host", "content-length", "accept", "content-type"}


def split(request: bytes) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a recorded request, without what the client writes by itself."""
    head, _, body = request.partition(b"\r\n\r\n")
    rows = (line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:])
    return {name: value.strip() for name, _, value in rows if name.lower() not in _LEFT_OUT}, body


async def post_all(url: str, request: bytes, *, count: int, at_once: int) -> None:
    """Post ``request`` ``count`` times over ``at_once`` connections."""
    headers, body = split(request)
    turns = iter(range(count))
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http, asyncio.TaskGroup() as tasks:
        for _ in range(at_once):
            tasks.create_task(_post(http, URL(url), headers, body, turns))


async def _post(
    http: aiohttp.ClientSession, url: URL, headers: dict[str, str], body: bytes, turns: Iterator[int]
) -> None:
    for _ in turns:
        data = BytesPayload(body, content_type="application/json")
        async with http.post(url, data=data, headers=headers, allow_redirects=False) as response:
            await response.read()


if __name__ == "__main__":
    uvloop.run(post_all(sys.argv[1], sys.stdin.buffer.read(), count=int(sys.argv[2]), at_once=int(sys.argv[3])))
