"""E11: how soon a relay that was just started accepts, and hands over, with a million people and a million waiting."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.alerts import P3, cap
from bench.client import NotReached
from bench.configuration import silent, to_toml
from bench.directories import city, copy, town
from bench.figures import Figure, Target
from bench.http1 import request
from bench.job import Job
from bench.people import EVERYWHERE, VILLAGE
from bench.relay import free_port, launched, new_folder, started
from bench.stats import median, spread
from bench.store import Store
from bench.wire import Wire
from relay.adapter import Kind
from relay.errors import StoreUnavailable
from relay.fanout.ids import leg_id
from relay.store.embedded import socket_url

TARGET = Target(limit=1.5, unit="s", most=True)
HAND_OVER = Target(limit=5.0, unit="s", most=True)
WHAT = "cold start → first 202"
_WITHIN = 90.0
_LOOK = 0.01
_LATE = 10  # deliveries that may have been sent after they were counted, while the relay stopped
_DRIP = 0.1  # deliveries a second, so that a million wait when the relay is stopped


async def measure(job: Job) -> Figure:
    """Start empty relays, then full ones of which each finds the same million waiting."""
    empty = [await _empty(job, number) for number in range(job.sizes.runs)]
    async with job.directories.million(job.say) as folder:
        pile = await _pile(job, folder)
        full = [await _full(job, folder, pile, number) for number in range(job.sizes.runs)]
    accepted, handed = [first for first, _ in full], [second for _, second in full]
    return Figure(
        name="E11",
        what=WHAT,
        value=median(empty),
        target=TARGET,
        samples=empty,
        conditions={"seconds_to_first_hand_over": HAND_OVER},
        beside={
            "seconds_to_first_hand_over": median(handed),
            "hand_over_runs": spread(handed),
            "seconds_to_first_202_when_full": spread(accepted),
            "recipients_and_pending": [city(job.sizes).count + town(job.sizes).count, city(job.sizes).count],
        },
    )


async def _empty(job: Job, number: int) -> float:
    folder = new_folder()
    try:
        seconds, _ = await _start(folder, f"empty-{number}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    job.say(f"empty, run {number + 1}: first 202 after {seconds:.2f} s")
    return seconds


@dataclass(frozen=True, slots=True)
class _Pile:
    """A leg of which nearly all waits, and how many of it were sent all the same."""

    leg: str
    sent: int


async def _pile(job: Job, folder: Path) -> _Pile:
    """Plan an alert to everybody on a channel that sends next to nothing, and stop."""
    async with started(silent("null", rate=_DRIP), say=job.say, folder=folder) as relay:
        posted = await relay.client.post("pile", P3, EVERYWHERE)
        await relay.client.planned(posted.alert_id, within=_WITHIN)
        leg = leg_id(posted.alert_id, kind=Kind.SMS, round_number=0)
        job.say(f"{await relay.store.waiting():,} deliveries wait")
        return _Pile(leg, await relay.store.settled_count([leg]))


async def _full(job: Job, made: Path, pile: _Pile, number: int) -> tuple[float, float]:
    folder = new_folder()
    try:
        await copy(made, folder)
        accepted, handed = await _start(folder, f"full-{number}", pile)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    job.say(f"full, run {number + 1}: first 202 after {accepted:.2f} s, first hand-over after {handed:.2f} s")
    return accepted, handed


async def _start(folder: Path, identifier: str, pile: _Pile | None = None) -> tuple[float, float]:
    """Start a relay; return the seconds to its first 202 and, of the pile, to the first hand-over."""
    port = free_port()
    config = to_toml((silent("null"),), data_dir=folder / "data", port=port)
    (folder / "relay.toml").write_text(config, encoding="utf-8")
    async with launched(folder, workers=1) as process:
        began = process.began
        accepted = await asyncio.to_thread(_first_202, port, folder / "data" / "admin.key", identifier)
        handed = await _first_hand_over(folder, pile, since=began) if pile else began
    return accepted - began, handed - began


def _first_202(port: int, key: Path, identifier: str) -> float:
    """Post until it is accepted; return when that was.  It blocks."""
    raw = cap(identifier, P3, VILLAGE.polygon, now=datetime.now(UTC))
    ends = time.time() + _WITHIN
    while time.time() < ends:
        try:
            credential = key.read_text(encoding="utf-8").strip()
            asked = request("POST", "/v1/alerts", key=credential, content="application/cap+xml", body=raw)
            with Wire(port) as wire:
                if wire.ask(asked).status == 202:
                    return time.time()
        except OSError:
            pass
        time.sleep(_LOOK)
    raise NotReached(f"nothing was accepted in {_WITHIN:.0f} s")


async def _first_hand_over(folder: Path, pile: _Pile, *, since: float) -> float:
    """Wait until more of the pile was sent; return when the first of that was, by its record."""
    ends = time.time() + _WITHIN
    while time.time() < ends:
        store = Store(socket_url(folder / "data"))
        try:
            if await store.settled_count([pile.leg]) > pile.sent + _LATE:
                told = await store.told(pile.leg)
                return float(told[told > since].min())
        except StoreUnavailable:
            pass  # the server is still loading
        finally:
            await store.close()
        await asyncio.sleep(0.1)
    raise NotReached(f"nothing was handed over in {_WITHIN:.0f} s")
