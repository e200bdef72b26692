"""E10: how long it takes to find out who of a million people an alert is for."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE

import orjson

from bench.client import NotReached
from bench.figures import Figure, Target
from bench.job import Job
from bench.stats import median, spread
from bench.targeting import PARTS, POINTS, case
from relay.process import terminate

TARGET = Target(limit=40, unit="ms", most=True)
OTHERS = (80, 15, 25)
WHAT = "targeting a million recipients: a polygon of 50 points, all in its box"
_RUNS = 5  # of a few milliseconds each, for every run of the bench
_WITHIN = 100.0


async def measure(job: Job) -> Figure:
    """Measure the function in a process of its own, which has nothing else to do."""
    job.say(f"{job.sizes.places:,} recipients, {len(POINTS)} polygons")
    words = [sys.executable, "-m", "bench.targeting", str(job.sizes.places), str(_RUNS * job.sizes.runs)]
    process = await asyncio.create_subprocess_exec(*words, stdout=PIPE)
    try:
        async with asyncio.timeout(_WITHIN):
            said, _ = await process.communicate()
    finally:
        await terminate(process, grace=5)
    if process.returncode:
        raise NotReached(f"the measuring process ended with {process.returncode}")
    found: dict[str, list[float]] = orjson.loads(said)
    # Those in the box first, as design §17 gives their targets.
    (first, *others) = [case(points, part) for part in PARTS for points in POINTS]
    return Figure(
        name="E10",
        what=WHAT,
        value=median(found[first]),
        target=TARGET,
        samples=found[first],
        conditions={
            name: Target(limit=limit, unit="ms", most=True) for name, limit in zip(others, OTHERS, strict=True)
        },
        beside={
            **{name: median(found[name]) for name in others},
            "spreads": {name: spread(found[name]) for name in found},
            "recipients": job.sizes.places,
        },
    )
