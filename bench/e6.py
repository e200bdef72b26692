"""E6: mails and text messages a second through the relay, against bare loops that send the same bytes."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.alerts import P3
from bench.client import NotReached
from bench.configuration import Channel, smpp, smtp
from bench.figures import Figure, Target
from bench.job import Job
from bench.people import CITY, VALLEY, VILLAGE, Crowd
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
#: Milliseconds after which a sink answers: as nothing in the world does, and as an SMS centre in the same town.
AT_ONCE, NEAR = 0, 5
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
    """How one kind is measured: its sink, its channel, how many people, and the bare loop with its arguments.

    ``count`` is by the milliseconds after which the sink answers.
    """

    name: str
    sink: str
    channel: Callable[[int], Channel]
    address: str
    count: Mapping[int, int]
    bare: tuple[str, ...]
    sample: Callable[[object], str]
    beside: tuple[str, ...] = ()


async def measure(job: Job) -> Figure:
    """Measure e-mail, then SMS."""
    mail = await _measure(job, _mail(job))
    text = await _measure(job, _text(job))
    ratios = min(mail[AT_ONCE].ratios, text[NEAR].ratios, key=median)
    return Figure(
        name="E6",
        what=WHAT,
        value=median(ratios),
        target=TARGET,
        samples=ratios,
        conditions={"sms_per_second": TEXTS},
        beside={
            "sms_per_second": median(text[NEAR].relay),
            "email": mail[AT_ONCE].to_json(),
            f"email_answered_after_{NEAR}_ms": mail[NEAR].to_json(),
            "sms": text[NEAR].to_json(),
            "sms_answered_at_once": text[AT_ONCE].to_json(),
            "sms_parts_each": text[NEAR].parts,
            "sms_protocol_alone_per_second": {f"{later}_ms": side.protocol for later, side in text.items()},
            "connections_and_window": [CONNECTIONS, WINDOW],
            "mails_and_texts": [job.sizes.mails, job.sizes.texts],
        },
    )


def _mail(job: Job) -> Kind:
    return Kind(
        name="email",
        sink="bench.smtp_sink",
        channel=lambda port: smtp("mail", port=port, connections=CONNECTIONS),
        address="{n}@bench.example",
        count={AT_ONCE: job.sizes.mails, NEAR: job.sizes.mails // 5},
        bare=("bench.bare_smtp", str(CONNECTIONS)),
        sample=_mail_of,
    )


def _text(job: Job) -> Kind:
    return Kind(
        name="sms",
        sink="bench.smpp_sink",
        channel=lambda port: smpp("sms", port=port, window=WINDOW),
        address="+7701{n:07d}",
        count={AT_ONCE: job.sizes.texts, NEAR: job.sizes.texts},
        bare=("bench.bare_smpp", str(WINDOW), "adapter"),
        sample=str,
        beside=("bench.bare_smpp", str(WINDOW), "session"),
    )


async def _measure(job: Job, kind: Kind) -> dict[int, Side]:
    """Return what a kind came to, by the milliseconds after which its sink answers."""
    sides: dict[int, Side] = {}
    async with sink(kind.sink) as target, running(kind.channel(target.port), say=job.say) as relay:
        few = Crowd(count=_FEW, prefix="first", kind=kind.name, address=_first(kind.address), place=VILLAGE)
        await relay.fill(few)
        await _relayed(relay, target, "warm", few)
        sample = kind.sample(await target.ask("sample"))
        for later, place in ((NEAR, CITY), (AT_ONCE, VALLEY)):
            await target.ask(f"later {later}")
            address = kind.address if later else _other(kind.address)
            people = Crowd(count=kind.count[later], prefix=place.name, kind=kind.name, address=address, place=place)
            await relay.fill(people)
            sides[later] = await _side(job, kind, relay, target, people, sample)
    return sides


async def _side(job: Job, kind: Kind, relay: Relay, target: Sink, people: Crowd, sample: str) -> Side:
    side = Side()
    side.bare.append(await _bare(target, kind.bare, people.count, sample))
    for number in range(job.sizes.runs):
        job.say(f"{kind.name}, run {number + 1}: {people.count:,} deliveries; bare {side.bare[-1]:,.0f} a second")
        before = relay.cpu()
        rate, submitted = await _relayed(relay, target, f"{people.prefix}-{number}", people)
        side.cpu_us = {n: seconds / people.count * 1e6 for n, seconds in used(before, relay.cpu()).items()}
        side.relay.append(rate)
        side.parts = submitted / people.count
        side.bare.append(await _bare(target, kind.bare, people.count, sample))
    if kind.beside:
        side.protocol = await _bare(target, kind.beside, people.count, sample)
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


async def _bare(target: Sink, words: Sequence[str], count: int, sample: str) -> float:
    """Let the bare client send in a process of its own; return what the sink saw a second."""
    await target.ask("reset")
    module, *more = words
    command = [sys.executable, "-m", module, str(target.port), str(count), *more]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE)
    try:
        async with asyncio.timeout(_WITHIN):
            await process.communicate(sample.encode("latin-1"))
    finally:
        await terminate(process, grace=5)
    seen = await target.ask("report")
    if process.returncode or seen["count"] != count:
        raise NotReached(f"the bare client sent {seen['count']} of {count}")
    return float(seen["per_second"])


def _mail_of(sample: object) -> str:
    if not isinstance(sample, dict):
        raise NotReached("the sink has no mail")
    return str(sample["mail"])


def _first(address: str) -> str:
    """Return addresses for a few others, who are told first."""
    return f"first{address}" if "@" in address else address.replace("+7701", "+7702")


def _other(address: str) -> str:
    """Return addresses for as many others, for each to have a place of his own."""
    return f"other{address}" if "@" in address else address.replace("+7701", "+7703")
