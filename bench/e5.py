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
from bench.job import Job
from bench.people import CITY, VILLAGE, Crowd
from bench.processes import used
from bench.relay import Relay, running
from bench.sizes import Sizes
from bench.stats import median, spread
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


async def measure(job: Job) -> Figure:
    """Post as many webhooks with the bare client as through the relay, in turn; the bare one begins and ends."""
    sizes = job.sizes
    bare, relayed, cpu = [], [], {}
    async with sink() as url:
        allowed = url.removeprefix("http://")
        async with running(_channel(sizes), say=job.say, allow=(allowed,)) as relay:
            await relay.fill(_crowd(sizes.hooks, "hook", f"{url}/city/{{n}}"), _village(url))
            sample = await _relayed(relay, url, "warm", VILLAGE.polygon, _FEW)
            request = str(sample["sample"]).encode("latin-1")
            job.say(f"bare client: {sizes.hooks:,} posts of {len(request)} bytes")
            bare.append(await _bare(url, request, sizes))
            for number in range(sizes.runs):
                job.say(f"run {number + 1}: {sizes.hooks:,} webhooks; bare {bare[-1]:,.0f} a second")
                before = relay.cpu()
                seen = await _relayed(relay, url, f"wind-{number}", CITY.polygon, sizes.hooks)
                cpu = used(before, relay.cpu())
                relayed.append(float(seen["per_second"]))
                bare.append(await _bare(url, request, sizes))
    ratios = [rate / ((bare[n] + bare[n + 1]) / 2) for n, rate in enumerate(relayed)]
    return Figure(
        name="E5",
        what=WHAT,
        value=median(ratios),
        target=TARGET,
        samples=ratios,
        beside={
            "webhooks": sizes.hooks,
            "relay_per_second": spread(relayed),
            "bare_per_second": spread(bare),
            "posts_at_once": sizes.at_once,
            "cpu_us_per_webhook": {name: seconds / sizes.hooks * 1e6 for name, seconds in cpu.items()},
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
