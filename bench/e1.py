"""E1: how many tracked deliveries a second one worker makes when the provider costs nothing."""

from __future__ import annotations

import time

from bench.alerts import P3
from bench.configuration import silent
from bench.figures import Figure, Target
from bench.job import Job
from bench.people import CITY, VILLAGE, Crowd
from bench.processes import used
from bench.relay import Relay, running
from bench.sizes import Sizes
from bench.stats import median, spread
from bench.store import Settled
from relay.adapter import Kind
from relay.fanout.ids import leg_id

TARGET = Target(limit=80_000, unit="deliveries/s")
WHAT = "engine: tracked deliveries, null adapter, one worker, everything on"
WARM = 200
_SLOWEST = 200  # deliveries a second; slower than that is a failure, not a figure


async def measure(job: Job) -> Figure:
    """Start a relay, import, and send the same alert some times."""
    sizes = job.sizes
    async with running(silent("null"), say=job.say) as relay:
        imported = await relay.fill(crowd(sizes), village())
        await relay.client.completed((await relay.client.post("warm", P3, VILLAGE.polygon)).alert_id, within=60)
        runs = [await _run(relay, sizes.crowd, number) for number in range(sizes.runs + 1)][1:]
        job.say("the server by itself")
        bare = await relay.store.bare(sizes.bare_seconds)
        server = await relay.store.server()
    rates = [settled.per_second for settled, _, _ in runs]
    return Figure(
        name="E1",
        what=WHAT,
        value=median(rates),
        target=TARGET,
        samples=rates,
        beside={
            "deliveries_of_one_alert": sizes.crowd,
            "per_second_from_202_to_completed": spread([sizes.crowd / took for _, took, _ in runs]),
            "seconds_from_leg_to_first_settle": median([settled.first for settled, _, _ in runs]),
            "cpu_us_per_delivery": {
                name: median([cpu[name] for _, _, cpu in runs]) / sizes.crowd * 1e6 for name in runs[0][2]
            },
            "server_alone_deliveries_per_second": bare,
            "imported_per_second": imported,
            **server,
        },
    )


def crowd(sizes: Sizes) -> Crowd:
    """Return those whom the large alerts are for."""
    return Crowd(count=sizes.crowd, prefix="city", kind="sms", address="+7701{n:07d}", place=CITY)


def village(count: int = WARM) -> Crowd:
    """Return a few others: for an alert that warms everything up."""
    return Crowd(count=count, prefix="village", kind="sms", address="+7702{n:07d}", place=VILLAGE)


async def _run(relay: Relay, count: int, number: int) -> tuple[Settled, float, dict[str, float]]:
    name = f"run {number}" if number else "warming up"
    relay.say(f"{name}: one alert to {count:,} recipients")
    before = relay.cpu()
    posted = await relay.client.post(f"wind-{number}", P3, CITY.polygon)
    document = await relay.client.completed(posted.alert_id, within=60 + count / _SLOWEST)
    took = time.time() - posted.accepted
    cpu = used(before, relay.cpu())
    if document["counts"] != {"delivered": count}:
        raise ValueError(f"not everybody was told: {document['counts']}")
    settled = await relay.store.settled([leg_id(posted.alert_id, kind=Kind.SMS, round_number=0)])
    relay.say(f"{name}: {settled.per_second:,.0f} a second")
    return settled, took, cpu
