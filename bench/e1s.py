"""E1s: how many small alerts a second go through the engine, and how much of Redis each of them takes.

The API accepts fewer alerts a second than the engine should send, so they are accepted first, while no worker runs;
then one worker starts.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
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
from bench.processes import cpu_seconds, used
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


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: alerts a second, bytes of each by what holds them, microseconds of processor for each."""

    per_second: float
    keys: dict[str, float]
    cpu_us: dict[str, float]

    @property
    def bytes(self) -> float:
        """Bytes of Redis for one alert."""
        return sum(self.keys.values())


async def measure(job: Job) -> Figure:
    """Take the figure in as many relays as there are runs: each begins empty."""
    runs = []
    for number in range(job.sizes.runs):
        job.say(f"run {number + 1}: {job.sizes.small:,} alerts to {EACH} recipients each")
        runs.append(await _run(job))
        job.say(f"run {number + 1}: {runs[-1].per_second:,.0f} alerts a second, {runs[-1].bytes:,.0f} bytes each")
    rates = [run.per_second for run in runs]
    return Figure(
        name="E1s",
        what=WHAT,
        value=median(rates),
        target=TARGET,
        samples=rates,
        conditions={"redis_bytes_per_alert": BYTES},
        beside={
            "alerts": job.sizes.small,
            "recipients_each": EACH,
            "redis_bytes_per_alert": median([run.bytes for run in runs]),
            "keys_bytes_per_alert": runs[-1].keys,
            "cap_bytes_per_alert": len(_alert(0)),
            "cpu_us_per_alert": runs[-1].cpu_us,
        },
    )


async def _run(job: Job) -> _Run:
    folder, count = new_folder(), job.sizes.small
    async with running(silent("null"), say=job.say, folder=folder, workers=0) as relay:
        await relay.fill(Crowd(count=EACH, prefix="city", kind="sms", address="+7701{n:07d}", place=CITY))
        key = await relay.client.agency()
        before = await relay.store.sizes()
        answers = await post_all(relay.port, [_post(n, key) for n in range(count)], connections=32)
        if answers.statuses != {"202": count}:
            raise NotReached(f"not every alert was accepted: {answers.statuses}")
        legs = [leg_id(alert_id, kind=Kind.SMS, round_number=0) for alert_id in await _ids(relay, count)]
        job.say("accepted; now the worker")
        rate, cpu = await _worked(relay, legs)
        after = await relay.store.sizes()
    keys = {name: (after[name] - before.get(name, 0)) / count for name in after if name != "directory"}
    return _Run(rate, keys, {name: seconds / count * 1e6 for name, seconds in cpu.items()})


async def _worked(relay: Relay, legs: list[str]) -> tuple[float, dict[str, float]]:
    """Start a worker and wait until all is sent; return alerts a second, and seconds of processor since it began."""
    with (relay.folder / "worker.log").open("wb") as output:
        process = await spawn(_worker(relay.folder), output=output.fileno())
    try:
        pids = {"worker": process.pid, "redis": relay.processes()["redis"]}
        await _sent(relay, legs[-1:])  # the oldest: from now on it works, and does not start
        before = cpu_seconds(pids)
        await _sent(relay, legs)
        cpu = used(before, cpu_seconds(pids))
        settled = await relay.store.settled(legs)
    finally:
        await terminate(process, grace=20)
    # In seconds since the first of the legs was made.
    return len(legs) / settled.last, cpu


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


async def _sent(relay: Relay, legs: list[str]) -> None:
    """Wait until everybody was told; ``legs`` begin with the newest."""
    ends = time.perf_counter() + 60 + len(legs) / _SLOWEST
    newest = legs[:_NEWEST]
    while time.perf_counter() < ends:
        await asyncio.sleep(_LOOK)
        # The newest are sent last: while they wait, the others need no look.
        if await relay.store.settled_count(newest) < EACH * len(newest):
            continue
        if await relay.store.settled_count(legs) == EACH * len(legs):
            return
    raise NotReached("not everything was sent in time")
