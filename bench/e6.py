"""E6: mails and text messages a second through the relay, against bare loops that send the same bytes."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.alerts import P3
from bench.client import NotReached
from bench.configuration import Channel, smpp, smtp
from bench.figures import Figure, Target
from bench.job import Job
from bench.people import CITY, VILLAGE, Crowd
from bench.processes import used
from bench.relay import Relay, running
from bench.sinks import Sink, sink
from bench.stats import median, spread
from relay.process import terminate

TARGET = Target(limit=0.8, unit="× bare", most=False)
TEXTS = Target(limit=6_000, unit="/s")
WHAT = "the worse of e-mail against bare aiosmtplib and SMS over SMPP (window 50) against a bare loop of our own client"
CONNECTIONS = 8
WINDOW = 50
_FEW = 20
_WITHIN = 300.0


@dataclass(slots=True)
class Side:
    """What one kind came to: rates at the sink through the relay and bare, bare before and after each."""

    relay: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    parts: float = 0.0
    protocol: float = 0.0
    cpu_us: dict[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        """The relay's rate as a part of the mean of the bare ones around it."""
        return [rate / ((self.bare[n] + self.bare[n + 1]) / 2) for n, rate in enumerate(self.relay)]

    def to_json(self) -> dict[str, object]:
        """Return what stands beside the figure."""
        return {
            "ratio": spread(self.ratios),
            "relay_per_second": spread(self.relay),
            "bare_per_second": spread(self.bare),
            "cpu_us_per_delivery": self.cpu_us,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind is measured: its sink, its channel, its people, and the bare loop with its arguments."""

    name: str
    sink: str
    channel: Callable[[int], Channel]
    address: str
    count: int
    bare: tuple[str, ...]
    sample: Callable[[object], str]
    beside: tuple[str, ...] = ()


async def measure(job: Job) -> Figure:
    """Measure e-mail, then SMS."""
    mail = await _measure(
        job,
        Kind(
            name="email",
            sink="bench.smtp_sink",
            channel=lambda port: smtp("mail", port=port, connections=CONNECTIONS),
            address="{n}@bench.example",
            count=job.sizes.mails,
            bare=("bench.bare_smtp", str(CONNECTIONS)),
            sample=_mail_of,
        ),
    )
    text = await _measure(
        job,
        Kind(
            name="sms",
            sink="bench.smpp_sink",
            channel=lambda port: smpp("sms", port=port, window=WINDOW),
            address="+7701{n:07d}",
            count=job.sizes.texts,
            bare=("bench.bare_smpp", str(WINDOW), "adapter"),
            sample=str,
            beside=("bench.bare_smpp", str(WINDOW), "session"),
        ),
    )
    ratios = min(mail.ratios, text.ratios, key=median)
    return Figure(
        name="E6",
        what=WHAT,
        value=median(ratios),
        target=TARGET,
        samples=ratios,
        conditions={"sms_per_second": TEXTS},
        beside={
            "sms_per_second": median(text.relay),
            "email": mail.to_json(),
            "sms": text.to_json(),
            "sms_parts_each": text.parts,
            "sms_protocol_alone_per_second": text.protocol,
            "connections_and_window": [CONNECTIONS, WINDOW],
            "mails_and_texts": [job.sizes.mails, job.sizes.texts],
        },
    )


async def _measure(job: Job, kind: Kind) -> Side:
    side = Side()
    async with sink(kind.sink) as target, running(kind.channel(target.port), say=job.say) as relay:
        people = Crowd(count=kind.count, prefix="city", kind=kind.name, address=kind.address, place=CITY)
        few = Crowd(count=_FEW, prefix="first", kind=kind.name, address=_first(kind.address), place=VILLAGE)
        await relay.fill(people, few)
        await _relayed(relay, target, "warm", few)
        sample = kind.sample(await target.ask("sample"))
        side.bare.append(await _bare(target, kind, kind.bare, sample))
        for number in range(job.sizes.runs):
            job.say(f"{kind.name}, run {number + 1}: {kind.count:,} deliveries; bare {side.bare[-1]:,.0f} a second")
            before = relay.cpu()
            rate, submitted = await _relayed(relay, target, f"wind-{number}", people)
            side.cpu_us = {n: seconds / kind.count * 1e6 for n, seconds in used(before, relay.cpu()).items()}
            side.relay.append(rate)
            side.parts = submitted / kind.count
            side.bare.append(await _bare(target, kind, kind.bare, sample))
        if kind.beside:
            side.protocol = await _bare(target, kind, kind.beside, sample)
    return side


async def _relayed(relay: Relay, target: Sink, identifier: str, people: Crowd) -> tuple[float, int]:
    """Send an alert; return what the sink saw a second, and how many that were."""
    await target.ask("reset")
    posted = await relay.client.post(identifier, P3, people.place.polygon, brief=True)
    await relay.client.counted(posted.alert_id, {"accepted": people.count}, within=_WITHIN)
    seen = await target.ask("report")
    if seen["count"] < people.count:
        raise NotReached(f"the sink saw {seen['count']} of {people.count}")
    return float(seen["per_second"]), int(seen["count"])


async def _bare(target: Sink, kind: Kind, words: Sequence[str], sample: str) -> float:
    """Let the bare client send in a process of its own; return what the sink saw a second."""
    await target.ask("reset")
    module, *more = words
    command = [sys.executable, "-m", module, str(target.port), str(kind.count), *more]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE)
    try:
        async with asyncio.timeout(_WITHIN):
            await process.communicate(sample.encode("latin-1"))
    finally:
        await terminate(process, grace=5)
    seen = await target.ask("report")
    if process.returncode or seen["count"] != kind.count:
        raise NotReached(f"the bare client sent {seen['count']} of {kind.count}")
    return float(seen["per_second"])


def _mail_of(sample: object) -> str:
    if not isinstance(sample, dict):
        raise NotReached("the sink has no mail")
    return str(sample["mail"])


def _first(address: str) -> str:
    """Return addresses for a few others, who are told first."""
    return f"first{address}" if "@" in address else address.replace("+7701", "+7702")
