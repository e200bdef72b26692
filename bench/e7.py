"""E7: how many alerts a second one process accepts, against a bare aiohttp handler that reads the same bodies."""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.alerts import P3, cap
from bench.client import NotReached
from bench.configuration import silent
from bench.figures import Figure, Target
from bench.http1 import request
from bench.job import Job
from bench.loading import Answers, post_all
from bench.people import CITY
from bench.processes import used
from bench.relay import running
from bench.sinks import sink
from bench.stats import median, spread

TARGET = Target(limit=2_500, unit="accepts/s")
BARE = Target(limit=0.14, unit="× bare")
WHAT = "accepts of one process: 4 KB of CAP, key, guarded parse, rules, duplicates, fsync, Redis"
SIZE = 4096
CONNECTIONS = 64


async def measure(job: Job) -> Figure:
    """Post distinct alerts to the API process (no worker runs) and to the bare handler in turn."""
    accepted, bare, cpu = [], [], {}
    async with sink("bench.bare_server") as server, running(silent("null"), say=job.say, workers=0) as relay:
        key = await relay.client.agency()
        await _post(relay.port, key, "warm", max(200, job.sizes.accepts // 10))
        for number in range(job.sizes.runs):
            job.say(f"run {number + 1}: {job.sizes.accepts:,} alerts")
            before = relay.cpu()
            accepted.append(await _post(relay.port, key, f"wind-{number}", job.sizes.accepts))
            cpu = used(before, relay.cpu())
            bare.append(await _post(server.port, key, f"bare-{number}", job.sizes.accepts))
            job.say(f"run {number + 1}: {accepted[-1].per_second:,.0f} a second, bare {bare[-1].per_second:,.0f}")
    rates = [answers.per_second for answers in accepted]
    ratios = [one.per_second / other.per_second for one, other in zip(accepted, bare, strict=True)]
    return Figure(
        name="E7",
        what=WHAT,
        value=median(rates),
        target=TARGET,
        samples=rates,
        conditions={"against_bare": BARE},
        beside={
            "against_bare": median(ratios),
            "against_bare_runs": spread(ratios),
            "bare_per_second": spread([answers.per_second for answers in bare]),
            "p50_and_p99_ms": [accepted[-1].p50_ms, accepted[-1].p99_ms],
            "client_busy_with_relay_and_bare": [accepted[-1].client_busy, bare[-1].client_busy],
            "connections": CONNECTIONS,
            "cpu_us_per_accept": {name: seconds / job.sizes.accepts * 1e6 for name, seconds in cpu.items()},
            "fdatasync_ms_alone": fdatasync_ms(),
        },
    )


async def _post(port: int, key: str, name: str, count: int) -> Answers:
    """Post ``count`` distinct alerts.

    Raises:
        NotReached: one of them was not accepted.
    """
    now = datetime.now(UTC)
    bodies = (cap(f"{name}-{number}", P3, CITY.polygon, now=now, size=SIZE) for number in range(count))
    posts = [request("POST", "/v1/alerts", key=key, content="application/cap+xml", body=body) for body in bodies]
    answers = await post_all(port, posts, connections=CONNECTIONS)
    if answers.statuses != {"202": count}:
        raise NotReached(f"not every alert was accepted: {answers.statuses}; the last: {answers.sample}")
    return answers


def fdatasync_ms(times: int = 50) -> float:
    """Return the middle of what one write and fdatasync of 4 KB takes on the disk of the data directories."""
    took = []
    with tempfile.TemporaryDirectory(prefix="chapar-bench-") as folder:
        file = os.open(Path(folder) / "probe", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            for _ in range(times):
                began = time.perf_counter()
                os.write(file, bytes(SIZE))
                os.fdatasync(file)
                took.append(time.perf_counter() - began)
        finally:
            os.close(file)
    return round(median(took) * 1000, 3)
