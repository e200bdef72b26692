"""E12: how many acknowledgements one API process takes, and how many receipts one worker."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from bench.alerts import P3
from bench.client import NotReached
from bench.configuration import smpp, to_file
from bench.figures import Figure, Target
from bench.http1 import request
from bench.job import Job
from bench.loading import Answers, post_all
from bench.people import CITY, VILLAGE, Crowd
from bench.processes import used
from bench.relay import Relay, new_folder, running
from bench.sinks import Sink, sink
from bench.stats import median, spread
from relay.adapter import Kind
from relay.fanout.ids import leg_id

TARGET = Target(limit=3_000, unit="/s")
RECEIPTS = Target(limit=5_000, unit="/s")
WHAT = "acknowledgements by link, one API process; receipts over SMPP, one worker"
CONNECTIONS = 64
WINDOW = 100
_WITHIN = 300.0
_LOOK = 0.01
_LINK = re.compile(rb"/a/([a-z2-7]{27,})")


async def measure(job: Job) -> Figure:
    """Send, then answer; each run is another alert."""
    answered, busy, answering = await _answers(job)
    received, receiving = await _receipts(job)
    return Figure(
        name="E12",
        what=WHAT,
        value=median(answered),
        target=TARGET,
        samples=answered,
        conditions={"receipts_per_second": RECEIPTS},
        beside={
            "receipts_per_second": median(received),
            "receipts_runs": spread(received),
            "cpu_us_per_acknowledgement": answering,
            "cpu_us_per_receipt": receiving,
            "client_busy": median(busy),
            "connections_and_window": [CONNECTIONS, WINDOW],
            "each": job.sizes.answers,
        },
    )


async def _answers(job: Job) -> tuple[list[float], list[float], dict[str, float]]:
    """Acknowledge every delivery by the link in its text, as a phone's form does."""
    folder, rates, busy, cpu = new_folder(), [], [], {}
    texts = folder / "texts.ndjson"
    async with running(to_file("mail", texts, kind="email"), say=job.say, folder=folder) as relay:
        people = await _people(relay, job.sizes.answers, "email", "{n}@bench.example")
        for number in range(job.sizes.runs):
            job.say(f"run {number + 1}: {people.count:,} acknowledgements")
            texts.write_bytes(b"")
            posted = await relay.client.post(f"wind-{number}", P3, people.place.polygon)
            await relay.client.counted(posted.alert_id, {"delivered": people.count}, within=_WITHIN)
            links = tokens(texts)
            if len(links) != people.count:
                raise NotReached(f"{len(links)} links were sent to {people.count} recipients")
            before = relay.cpu()
            answers = await _post(relay, links)
            cpu = used(before, relay.cpu())
            await relay.client.counted(posted.alert_id, {"acknowledged": people.count}, within=_WITHIN)
            rates.append(answers.per_second)
            busy.append(answers.client_busy)
    return rates, busy, {name: seconds / people.count * 1e6 for name, seconds in cpu.items()}


def tokens(texts: Path) -> list[str]:
    """Return the token of the link in each text."""
    found = (_LINK.search(line) for line in texts.read_bytes().splitlines())
    return [match[1].decode() for match in found if match is not None]


async def _post(relay: Relay, links: list[str]) -> Answers:
    body, form = b"answer=1", "application/x-www-form-urlencoded"
    posts = [request("POST", f"/a/{token}", content=form, body=body) for token in links]
    answers = await post_all(relay.port, posts, connections=CONNECTIONS)
    if answers.statuses != {"200": len(links)}:
        raise NotReached(f"not every acknowledgement was taken: {answers.statuses}; the last: {answers.sample}")
    return answers


async def _receipts(job: Job) -> tuple[list[float], dict[str, float]]:
    """Let the SMS centre say of every message that it was delivered; it counts when the last record says so too."""
    rates, cpu = [], {}
    async with sink("bench.smpp_sink") as centre, running(smpp("sms", port=centre.port), say=job.say) as relay:
        people = await _people(relay, job.sizes.answers, "sms", "+7701{n:07d}")
        for number in range(job.sizes.runs):
            await centre.ask("reset")
            posted = await relay.client.post(f"wind-{number}", P3, people.place.polygon, brief=True)
            await relay.client.counted(posted.alert_id, {"accepted": people.count}, within=_WITHIN)
            job.say(f"run {number + 1}: {people.count:,} messages were accepted; now their receipts")
            before, began = relay.cpu(), time.perf_counter()
            count = await _deliver(centre)
            await _recorded(relay, leg_id(posted.alert_id, kind=Kind.SMS, round_number=0), people.count)
            rates.append(count / (time.perf_counter() - began))
            cpu = used(before, relay.cpu())
    return rates, {name: seconds / people.count * 1e6 for name, seconds in cpu.items()}


async def _deliver(centre: Sink) -> int:
    """Send all receipts; return how many the relay took over, which it may do before it looks at them."""
    told = await centre.ask(f"receipts {WINDOW}", within=_WITHIN)
    if told["refused"] or not told["count"]:
        raise NotReached(f"of {told['count']} receipts {told['refused']} were refused")
    return int(told["count"])


async def _recorded(relay: Relay, leg: str, count: int) -> None:
    ends = time.perf_counter() + _WITHIN
    while (settled := await relay.store.settled_count([leg])) < count:
        if time.perf_counter() > ends:
            raise NotReached(f"of {count} receipts {settled} were recorded")
        await asyncio.sleep(_LOOK)


async def _people(relay: Relay, count: int, kind: str, address: str) -> Crowd:
    people = Crowd(count=count, prefix="city", kind=kind, address=address, place=CITY)
    first = address.replace("+7701", "+7702").replace("{n}@", "first{n}@")
    few = Crowd(count=20, prefix="first", kind=kind, address=first, place=VILLAGE)
    await relay.fill(people, few)
    return people
