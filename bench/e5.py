"""E5: webhooks a second through the relay, against a bare client loop that posts the same bytes to the same sink."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from bench.alerts import P3
from bench.client import NotReached
from bench.configuration import Channel
from bench.figures import Figure, Target
from bench.people import CITY, VILLAGE, Crowd
from bench.relay import Relay, Say, running
from bench.sizes import Sizes
from relay.process import terminate

TARGET = Target(limit=0.75, unit="× bare")
WHAT = "webhooks/s against a bare aiohttp loop posting the same bytes to the same sink"
_FEW = 20
_WITHIN = 300.0


@asynccontextmanager
async def sink() -> AsyncIterator[str]:
    """Start the sink and yield its URL."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.sink", stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(20):
            port = await _line(process)
        yield f"http://127.0.0.1:{port}"
    finally:
        await terminate(process, grace=5)


async def measure(sizes: Sizes, say: Say) -> Figure:
    """Post the same number of webhooks with the bare client, through the relay, and with the bare client again."""
    async with sink() as url:
        allowed = url.removeprefix("http://")
        async with running(_channel(sizes), say=say, allow=(allowed,)) as relay:
            await relay.fill(_crowd(sizes.hooks, "hook", f"{url}/city/{{n}}"), _village(url))
            sample = await _relayed(relay, url, "warm", VILLAGE.polygon, _FEW)
            request = str(sample["sample"]).encode("latin-1")
            say(f"bare client: {sizes.hooks:,} posts of {len(request)} bytes")
            bare = [await _bare(url, request, sizes)]
            say(f"relay: {sizes.hooks:,} webhooks")
            before = relay.cpu()
            relayed = await _relayed(relay, url, "wind", CITY.polygon, sizes.hooks)
            after = relay.cpu()
            bare.append(await _bare(url, request, sizes))
    mean = sum(bare) / len(bare)
    return Figure(
        name="E5",
        what=WHAT,
        value=relayed["per_second"] / mean,
        target=TARGET,
        beside={
            "webhooks": sizes.hooks,
            "relay_per_second": relayed["per_second"],
            "bare_per_second_before_and_after": bare,
            "posts_at_once": sizes.at_once,
            "cpu_us_per_webhook": {name: (after[name] - before[name]) / sizes.hooks * 1e6 for name in before},
        },
    )


def _channel(sizes: Sizes) -> Channel:
    # All recipients live behind one host here: it gets as many posts at a time as the bare client makes, and what
    # waits for its turn is not put off, as it would be for a host that is slower than the rest.
    return Channel(
        name="hooks", adapter="webhook", settings={"per_host": sizes.at_once, "start_within": 30.0, "timeout": 30.0}
    )


def _crowd(count: int, prefix: str, address: str) -> Crowd:
    return Crowd(count=count, prefix=prefix, kind="webhook", address=address, place=CITY)


def _village(url: str) -> Crowd:
    return Crowd(count=_FEW, prefix="first", kind="webhook", address=f"{url}/village/{{n}}", place=VILLAGE)


async def _relayed(relay: Relay, url: str, identifier: str, polygon: str, count: int) -> dict[str, Any]:
    """Send an alert and return what the sink saw of it."""
    await _ask("DELETE", url)
    posted = await relay.client.post(identifier, P3, polygon)
    document = await relay.client.completed(posted.alert_id, within=_WITHIN)
    seen = await _ask("GET", url)
    if document["counts"] != {"delivered": count} or seen["count"] != count:
        raise ValueError(f"not everybody was told: {document['counts']}, the sink counted {seen['count']}")
    return seen


async def _bare(url: str, request: bytes, sizes: Sizes) -> float:
    """Let the bare client post in a process of its own; return what the sink saw a second."""
    await _ask("DELETE", url)
    words = [sys.executable, "-m", "bench.bare", f"{url}/city/0", str(sizes.hooks), str(sizes.at_once)]
    process = await asyncio.create_subprocess_exec(*words, stdin=PIPE)
    try:
        async with asyncio.timeout(_WITHIN):
            await process.communicate(request)
    finally:
        await terminate(process, grace=5)
    seen = await _ask("GET", url)
    if seen["count"] != sizes.hooks:
        raise NotReached(f"the bare client posted {seen['count']} of {sizes.hooks}")
    return float(seen["per_second"])


async def _ask(method: str, url: str) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as http, http.request(method, url) as response:
        text = await response.read()
    figures: dict[str, Any] = orjson.loads(text) if text else {}
    return figures


async def _line(process: Process) -> str:
    if process.stdout is None:
        raise NotReached("the sink says nothing")
    return (await process.stdout.readline()).decode().strip()
