"""The load client posts everything once and says what came of it."""

from __future__ import annotations

import aiohttp.test_utils
import pytest
from aiohttp import web

from bench.bare_server import application
from bench.http1 import request
from bench.load import pack, post, unpack
from bench.loading import Answers, post_all

POSTS = [request("POST", "/v1/alerts", body=b"%d" % number) for number in range(23)]


def test_requests_survive_the_file() -> None:
    """What is read is what was written."""
    assert unpack(pack(POSTS)) == POSTS
    assert unpack(b"") == []


async def test_everything_is_posted_once() -> None:
    """Each request is answered, over as many connections as were asked for, one at a time on each."""
    seen: list[bytes] = []

    async def take(asked: web.Request) -> web.Response:
        seen.append(await asked.read())
        return web.Response(status=202 if len(seen) % 2 else 429)

    app = web.Application()
    app.router.add_post("/v1/alerts", take)
    async with aiohttp.test_utils.TestServer(app) as server:
        found = await post(server.port or 0, POSTS, connections=3)

    assert sorted(map(int, seen)) == list(range(23))
    assert found["statuses"] == {"202": 12, "429": 11}


async def test_the_bare_server_accepts_from_another_process() -> None:
    """The bare handler answers 202 to all; the client is a process of its own and says how busy it was."""
    async with aiohttp.test_utils.TestServer(application()) as server:
        answers = await post_all(server.port or 0, POSTS, connections=2)

    assert answers.statuses == {"202": 23}
    assert answers.per_second > 0
    assert 0 < answers.client_busy < 2


def test_rates_are_of_the_whole() -> None:
    """Answers of all statuses count."""
    answers = Answers(statuses={"202": 30, "503": 10}, seconds=2.0, cpu=0.5, p50_ms=1, p99_ms=2, sample="")

    assert answers.per_second == pytest.approx(20)
    assert answers.client_busy == pytest.approx(0.25)
