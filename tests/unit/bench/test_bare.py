"""The bare client posts what the relay posted."""

from __future__ import annotations

import aiohttp.test_utils
from aiohttp import web

from bench.bare import post_all, split

SEEN = "Привет".encode()
REQUEST = (
    b"POST /city/1 HTTP/1.1\r\nHost: 127.0.0.1:9\r\nContent-Type: application/json\r\nUser-Agent: Chapar\r\n"
    b"Accept: */*\r\nwebhook-id: a-1\r\nwebhook-signature: v1,x:y=\r\nContent-Length: %d\r\n\r\n" % len(SEEN)
) + SEEN


def test_headers_and_body_are_those_of_the_record() -> None:
    """What the client writes by itself is left to it; a colon in a value stays."""
    headers, body = split(REQUEST)

    assert headers == {"User-Agent": "Chapar", "webhook-id": "a-1", "webhook-signature": "v1,x:y="}
    assert body == SEEN


async def test_as_many_are_posted_as_were_asked_for() -> None:
    """Each post has the recorded bytes and headers."""
    posts: list[tuple[bytes, str, str]] = []

    async def take(request: web.Request) -> web.Response:
        posts.append((await request.read(), request.headers["webhook-id"], request.headers["Content-Type"]))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/city/0", take)
    async with aiohttp.test_utils.TestServer(app) as server:
        await post_all(str(server.make_url("/city/0")), REQUEST, count=7, at_once=3)

    assert posts == [(SEEN, "a-1", "application/json")] * 7
