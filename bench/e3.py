"""E3: whether an alert for a million is accepted as fast as one for a thousand, and others while one is planned."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

from bench.alerts import P3, cap
from bench.client import NotReached
from bench.configuration import silent
from bench.figures import Figure, Target
from bench.http1 import request
from bench.job import Job
from bench.people import EVERYWHERE, VILLAGE, Crowd
from bench.relay import Relay, running
from bench.stats import ms, spread
from bench.wire import Wire
from relay.adapter import Kind
from relay.fanout.ids import leg_id

TARGET = Target(limit=1.3, unit="×", most=True)
WHILE = Target(limit=2.0, unit="×", most=True)
WHAT = "POST → 202 with a million matching recipients against a thousand"
THOUSAND = 1_000
_NOBODY = "10.00,20.00 10.00,20.10 10.10,20.10 10.10,20.00 10.00,20.00"
_ALIVE = request("GET", "/healthz")
_QUIET = 600  # posts to learn what p99 is while nothing is planned
_WITHIN = 60.0


@dataclass(slots=True)
class Waits:
    """Seconds from the POST to its answer."""

    million: list[float] = field(default_factory=list)
    thousand: list[float] = field(default_factory=list)
    planning: list[float] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    plans: list[float] = field(default_factory=list)


async def measure(job: Job) -> Figure:
    """Post large and small alerts in turn; while each large one is planned, post others that are for nobody."""
    count = min(THOUSAND, job.sizes.million // 10)
    village = Crowd(count=count, prefix="village", kind="sms", address="+7703{n:07d}", place=VILLAGE)
    async with job.directories.million(job.say) as folder, running(silent("null"), say=job.say, folder=folder) as relay:
        await relay.fill(village)
        poster = Poster(relay, await relay.client.agency())
        await relay.client.completed(poster.post("warm", VILLAGE.polygon)[0], within=_WITHIN)
        waits = await _sample(job, relay, poster)
        poster.close()
    p99 = {"quiet": ms(waits.quiet, 99), "while_planning": ms(waits.planning, 99)}
    return Figure(
        name="E3",
        what=WHAT,
        value=ms(waits.million, 50) / ms(waits.thousand, 50),
        target=TARGET,
        conditions={"accept_p99_while_planning_against_quiet": WHILE},
        beside={
            "accept_p99_while_planning_against_quiet": p99["while_planning"] / p99["quiet"],
            "accept_p99_ms": p99,
            "million_ms": spread([waited * 1000 for waited in waits.million]),
            "thousand_ms": spread([waited * 1000 for waited in waits.thousand]),
            "samples": [len(waits.million), len(waits.thousand), len(waits.planning), len(waits.quiet)],
            "plan_ms_p50": ms(waits.plans, 50),
            "recipients": job.sizes.million,
        },
    )


async def _sample(job: Job, relay: Relay, poster: Poster) -> Waits:
    waits = Waits()
    for number in range(job.sizes.plans):
        job.say(f"{number + 1} of {job.sizes.plans}: nobody, a million, a thousand")
        quiet = range(_QUIET // job.sizes.plans)
        waits.quiet += [poster.post(f"quiet-{number}-{n}", _NOBODY)[1] for n in quiet]
        alert_id, waited = poster.post(f"million-{number}", EVERYWHERE)
        waits.million.append(waited)
        took, others = await _while_planned(relay, poster, alert_id, number)
        waits.planning += others
        waits.plans.append(took)
        await _end(relay, alert_id)
        alert_id, waited = poster.post(f"thousand-{number}", VILLAGE.polygon)
        waits.thousand.append(waited)
        await relay.client.completed(alert_id, within=_WITHIN)
    return waits


async def _while_planned(relay: Relay, poster: Poster, alert_id: str, number: int) -> tuple[float, list[float]]:
    """Post alerts for nobody until the leg is there; return how long that took, and the waits meanwhile."""
    waits: list[tuple[float, float]] = []
    leg, began, planned = leg_id(alert_id, kind=Kind.SMS, round_number=0), time.time(), 0.0
    while not planned:
        waits.append((time.time(), poster.post(f"meanwhile-{number}-{len(waits)}", _NOBODY)[1]))
        planned = await relay.store.planned(leg)
        if time.time() - began > _WITHIN:
            raise NotReached(f"the alert {alert_id} was not planned in {_WITHIN:.0f} s")
    # The first was posted when the plan had surely not ended, however short it was.
    return planned - began, [waited for n, (at, waited) in enumerate(waits) if not n or at < planned]


async def _end(relay: Relay, alert_id: str) -> None:
    """Cancel an alert and wait until nothing waits any more: the next sample meets a quiet relay."""
    cancelled = await relay.client.cancel(alert_id)
    await relay.client.completed(cancelled.alert_id, within=_WITHIN)
    ends = time.time() + _WITHIN
    while await relay.store.waiting():
        if time.time() > ends:
            raise NotReached("what was cancelled still waits")
        await asyncio.sleep(0.05)


class Poster:
    """Posts alerts over one kept connection, one after the other."""

    def __init__(self, relay: Relay, key: str) -> None:
        self._port, self._key = relay.port, key
        self._wire = Wire(relay.port)

    def post(self, identifier: str, polygon: str) -> tuple[str, float]:
        """Post an alert; return its id and the seconds until its 202.

        Raises:
            NotReached: it was not accepted.
        """
        raw = cap(identifier, P3, polygon, now=datetime.now(UTC))
        asked = request("POST", "/v1/alerts", key=self._key, content="application/cap+xml", body=raw)
        self._wake()
        began = time.perf_counter()
        answer = self._wire.ask(asked)
        waited = time.perf_counter() - began
        if answer.status != 202:
            raise NotReached(f"{identifier} was answered {answer.status}: {answer.body[:300].decode()}")
        return str(orjson.loads(answer.body)["id"]), waited

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def _wake(self) -> None:
        """Make sure that the connection lives: the relay closes one that was silent for long."""
        try:
            self._wire.ask(_ALIVE)
        except ConnectionError:
            self._wire.close()
            self._wire = Wire(self._port)
            self._wire.ask(_ALIVE)
