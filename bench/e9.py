"""E9: how soon a cancel stops an alert that two workers are sending to a million people."""

from __future__ import annotations

import asyncio
import time

from bench.alerts import P3
from bench.client import NotReached
from bench.configuration import silent
from bench.directories import town
from bench.figures import Figure, Target
from bench.job import Job
from bench.people import EVERYWHERE, TOWN
from bench.relay import Relay, running
from bench.stats import spread
from relay.adapter import Kind
from relay.fanout.ids import leg_id

TARGET = Target(limit=500, unit="ms", most=True)
WHAT = "cancel of a leg to a million, two workers: 202 → last send, the slowest of all samples"
_SENT = 0.05  # of the leg, before it is cancelled
_WITHIN = 120.0
_LOOK = 0.02


async def measure(job: Job) -> Figure:
    """Begin to send to everybody and cancel, some times."""
    count = max(job.sizes.cancels, job.sizes.runs)
    async with (
        job.directories.million(job.say) as folder,
        running(silent("null"), say=job.say, folder=folder, workers=2) as relay,
    ):
        await relay.client.completed((await relay.client.post("warm", P3, TOWN.polygon)).alert_id, within=_WITHIN)
        samples = [await _sample(relay, job, number) for number in range(count)]
    millis = [seconds * 1000 for seconds, _ in samples]
    return Figure(
        name="E9",
        what=WHAT,
        value=max(millis),
        target=TARGET,
        samples=millis,
        beside={
            "milliseconds": spread(millis),
            "told_before_the_end": spread([float(told) for _, told in samples]),
            "recipients": job.sizes.million,
            "others": town(job.sizes).count,
        },
    )


async def _sample(relay: Relay, job: Job, number: int) -> tuple[float, int]:
    """Return the seconds from the cancel's 202 to the last record of a delivery, and how many were told.

    A record is written after its send, so the last send began a little earlier.
    """
    job.say(f"sample {number + 1}: one alert to {job.sizes.million:,}, cancelled on the way")
    posted = await relay.client.post(f"wind-{number}", P3, EVERYWHERE)
    leg = leg_id(posted.alert_id, kind=Kind.SMS, round_number=0)
    ends = time.time() + _WITHIN
    while await relay.store.settled_count([leg]) < _SENT * job.sizes.million:
        if time.time() > ends:
            raise NotReached("nothing is being sent")
        await asyncio.sleep(_LOOK)
    cancelled = await relay.client.cancel(posted.alert_id)
    await relay.client.completed(cancelled.alert_id, within=_WITHIN)
    told = await relay.store.told(leg)
    if len(told) >= job.sizes.million:
        raise NotReached("everybody had been told before the cancel")
    return max(0.0, float(told.max()) - cancelled.accepted), len(told)
