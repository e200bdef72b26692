"""E4: how soon the worst news leaves while a great pile of low news is being sent, and past a slow lane."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bench.alerts import P0, P1, P4, Grade
from bench.configuration import silent, to_file
from bench.figures import Figure, Target
from bench.handed import Handed
from bench.job import Job
from bench.people import CITY, VALLEY, VILLAGE, Crowd
from bench.relay import Relay, new_folder, running
from bench.sizes import Sizes
from bench.stats import ms
from relay.adapter import Kind
from relay.fanout.ids import leg_id

TARGET = Target(limit=25, unit="ms", most=True)
SLOW_LANE = Target(limit=1000, unit="ms", most=True)
WHAT = "P0 accepted → first hand-over behind a pile of low deliveries, p99"
RATE = 100
_FEW = 10
_WITHIN = 60.0
_APART = 0.1


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds to the first hand-over: from the beginning of the POST, from its 202, and from the plan's end."""

    from_post: float
    from_202: float
    from_plan: float


async def measure(job: Job) -> Figure:
    """Start a relay with a fast lane (SMS) and one of 100/s (e-mail), and post urgent news into both."""
    sizes, folder = job.sizes, new_folder()
    sms_file, mail_file = folder / "sms.ndjson", folder / "mail.ndjson"
    sms, mail = Handed(sms_file, Kind.SMS), Handed(mail_file, Kind.EMAIL)
    channels = (
        silent("low", match=["+7701"]),
        to_file("flash", sms_file, match=["+7702"]),
        to_file("slow", mail_file, kind="email", rate=RATE),
    )
    async with running(*channels, say=job.say, folder=folder) as relay:
        await relay.fill(
            Crowd(count=sizes.crowd, prefix="low", kind="sms", address="+7701{n:07d}", place=CITY),
            Crowd(count=_FEW, prefix="flash", kind="sms", address="+7702{n:07d}", place=VILLAGE),
            Crowd(count=sizes.slow, prefix="slow", kind="email", address="slow{n}@bench.example", place=VALLEY),
            Crowd(count=_FEW, prefix="urgent", kind="email", address="urgent{n}@bench.example", place=VILLAGE),
        )
        urgent = await _past_slow_lane(relay, sizes, mail)
        flashes, left = await _past_pile(relay, sizes, sms)
    return Figure(
        name="E4",
        what=WHAT,
        value=ms([s.from_202 for s in flashes], 99),
        target=TARGET,
        samples=[s.from_202 * 1000 for s in flashes],
        conditions={"p1_past_slow_p4_lane_p99_ms": SLOW_LANE},
        beside={
            "samples": len(flashes),
            "p0_p50_ms": ms([s.from_202 for s in flashes], 50),
            "p0_from_begin_of_post_p50_p99_ms": [ms([s.from_post for s in flashes], p) for p in (50, 99)],
            "p0_from_end_of_plan_p50_p99_ms": [ms([s.from_plan for s in flashes], p) for p in (50, 99)],
            "low_deliveries_queued": f"{sizes.piles} × {sizes.crowd:,}, {left:,} left before the last sample",
            "p1_past_slow_p4_lane_p50_ms": ms([s.from_202 for s in urgent], 50),
            "p1_past_slow_p4_lane_p99_ms": ms([s.from_202 for s in urgent], 99),
            "p1_samples": len(urgent),
        },
    )


async def _past_slow_lane(relay: Relay, sizes: Sizes, sink: Handed) -> list[Sample]:
    relay.say(f"P1 past {sizes.slow:,} low e-mails on a lane of {RATE}/s")
    low = await relay.client.post("slow", P4, VALLEY.polygon)
    await sink.first(low, within=_WITHIN)
    samples = [await _sample(relay, f"urgent-{n}", P1, sink) for n in range(sizes.urgent)]
    await relay.client.cancel(low.alert_id)
    return samples


async def _past_pile(relay: Relay, sizes: Sizes, sink: Handed) -> tuple[list[Sample], int]:
    relay.say(f"P0 past {sizes.piles} × {sizes.crowd:,} low deliveries")
    low = [await relay.client.post(f"low-{number}", P4, CITY.polygon) for number in range(sizes.piles)]
    for posted in low:
        await relay.client.planned(posted.alert_id, within=_WITHIN)
    samples: list[Sample] = []
    left = 0
    for number in range(sizes.flashes):
        left = await relay.store.waiting()
        if not left and samples:
            relay.say(f"the pile was gone after {len(samples)} samples")
            break
        samples.append(await _sample(relay, f"flash-{number}", P0, sink))
    return samples, left


async def _sample(relay: Relay, identifier: str, grade: Grade, sink: Handed) -> Sample:
    posted = await relay.client.post(identifier, grade, VILLAGE.polygon)
    at = await sink.first(posted, within=_WITHIN)
    await asyncio.sleep(_APART)  # the next one meets the pile, not this one's wake
    planned = await relay.store.planned(leg_id(posted.alert_id, kind=sink.kind, round_number=0))
    return Sample(from_post=at - posted.began, from_202=max(0.0, at - posted.accepted), from_plan=at - planned)
