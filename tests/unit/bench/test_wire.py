"""One connection asks, is answered, and counts what it received."""

from __future__ import annotations

import asyncio

import aiohttp.test_utils
from aiohttp import web

from bench.http1 import request
from bench.wire import Wire


async def test_answers_and_bytes() -> None:
    """Two requests over one connection; an answer's size is all of it, head and body."""

    async def take(_: web.Request) -> web.Response:
        return web.Response(text="x" * 1000)

    app = web.Application()
    app.router.add_get("/", take)

    def ask(port: int) -> tuple[list[int], int]:
        with Wire(port) as wire:
            return [wire.ask(request("GET", "/")).size for _ in range(2)], wire.received

    async with aiohttp.test_utils.TestServer(app) as server:
        sizes, received = await asyncio.to_thread(ask, server.port or 0)

    assert sizes[0] == sizes[1] > 1000
    assert received == sum(sizes)


async def test_a_stream_is_listened_to_for_a_time() -> None:
    """What comes after the head within the time is counted, and a silent stream costs nothing."""

    async def stream(asked: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(asked)
        await asyncio.sleep(0.05)
        await response.write(b": hello\n\n")
        await asyncio.sleep(30)
        return response

    app = web.Application()
    app.router.add_get("/events", stream)

    def listen(port: int) -> tuple[int, int]:
        with Wire(port) as wire:
            first = wire.listen(request("GET", "/events"), seconds=0.5)
            return first, wire.more(seconds=0.1)

    async with aiohttp.test_utils.TestServer(app) as server:
        first, then = await asyncio.to_thread(listen, server.port or 0)

    assert 9 <= first < 40
    assert then == 0
