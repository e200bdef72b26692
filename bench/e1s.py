"""E1s: how many small alerts a second go through the engine, and how much of Redis each of them takes.

The API accepts fewer alerts a second than the engine should send, so they are accepted first, while no worker runs;
then one worker starts.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.alerts import P3, cap
from bench.client import NotReached
from bench.configuration import silent
from bench.figures import Figure, Target
from bench.http1 import request
from bench.job import Job
from bench.loading import post_all
from bench.people import CITY, Crowd
from bench.relay import Relay, new_folder, running
from bench.stats import median
from relay.adapter import Kind
from relay.fanout.ids import leg_id
from relay.process import spawn, terminate

TARGET = Target(limit=4_000, unit="alerts/s")
BYTES = Target(limit=1_500, unit="bytes", most=True)
WHAT = "small alerts: each to 5 recipients, through the engine of one worker"
EACH = 5
_SLOWEST = 50
_LOOK = 0.1
_NEWEST = 100


async def measure(job: Job) -> Figure:
    """Take the figure in as many relays as there are runs: each begins empty."""
    count = job.sizes.small
    rates, sizes = [], []
    keys: dict[str, float] = {}
    for number in range(job.sizes.runs):
        job.say(f"run {number + 1}: {count:,} alerts to {EACH} recipients each")
        rate, keys = await _run(job)
        rates.append(rate)
        sizes.append(sum(keys.values()))
        job.say(f"run {number + 1}: {rate:,.0f} alerts a second, {sizes[-1]:,.0f} bytes each")
    raw = len(_alert(0))
    return Figure(
        name="E1s",
        what=WHAT,
        value=median(rates),
        target=TARGET,
        samples=rates,
        conditions={"redis_bytes_per_alert": BYTES},
        beside={
            "alerts": count,
            "recipients_each": EACH,
            "redis_bytes_per_alert": median(sizes),
            "keys_bytes_per_alert": keys,
            "cap_bytes_per_alert": raw,
        },
    )


async def _run(job: Job) -> tuple[float, dict[str, float]]:
    folder = new_folder()
    async with running(silent("null"), say=job.say, folder=folder, workers=0) as relay:
        await relay.fill(Crowd(count=EACH, prefix="city", kind="sms", address="+7701{n:07d}", place=CITY))
        key = await relay.client.agency()
        before = await relay.store.sizes()
        answers = await post_all(relay.port, [_post(n, key) for n in range(job.sizes.small)], connections=32)
        if answers.statuses != {"202": job.sizes.small}:
            raise NotReached(f"not every alert was accepted: {answers.statuses}")
        ids = await _ids(relay, job.sizes.small)
        job.say("accepted; now the worker")
        with (folder / "worker.log").open("wb") as output:
            process = await spawn(_worker(folder), output=output.fileno())
        try:
            legs = [leg_id(alert_id, kind=Kind.SMS, round_number=0) for alert_id in ids]
            rate = await _sent(relay, legs)
        finally:
            await terminate(process, grace=20)
        after = await relay.store.sizes()
    return rate, {name: (after[name] - before.get(name, 0)) / len(ids) for name in after if name != "directory"}


def _post(number: int, key: str) -> bytes:
    return request("POST", "/v1/alerts", key=key, content="application/cap+xml", body=_alert(number))


def _alert(number: int) -> bytes:
    return cap(f"small-{number}", P3, CITY.polygon, now=datetime.now(UTC))


def _worker(folder: Path) -> list[str]:
    return [sys.executable, "-m", "relay", "--config", str(folder / "relay.toml"), "serve", "--role", "worker"]


async def _ids(relay: Relay, count: int) -> list[str]:
    """Return the ids of all alerts, page by page."""
    found, cursor = [], ""
    while True:
        page = await relay.client.look(f"/v1/alerts?limit=1000{cursor}")
        found += [alert["id"] for alert in page["alerts"]]
        if not page["next"]:
            break
        cursor = f"&cursor={page['next']}"
    if len(found) != count:
        raise NotReached(f"{len(found)} of {count} alerts are listed")
    return found


async def _sent(relay: Relay, legs: list[str]) -> float:
    """Wait until all is sent; return alerts a second between the first plan and the last settle."""
    ends = time.perf_counter() + 60 + len(legs) / _SLOWEST
    while time.perf_counter() < ends:
        await asyncio.sleep(_LOOK)
        # The newest alerts come first in the list and are sent last: while they wait, the others need no look.
        newest = legs[:_NEWEST]
        if await relay.store.settled_count(newest) < EACH * len(newest):
            continue
        if await relay.store.settled_count(legs) == EACH * len(legs):
            settled = await relay.store.settled(legs)
            return len(legs) / settled.last
    raise NotReached("not everything was sent in time")
