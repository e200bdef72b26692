"""A soak: many alerts to the end and into the archive, after which Redis holds what it held before.

    python -m bench.soak [--alerts 2000] [--recipients 1000] [--after 5] [--output FILE]

A real relay with one worker; every hundredth alert is cancelled as well.  Printed as JSON: used memory before, after,
and at most, which keys were left, processor time of each process, and what the archive takes on disk.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from bench.alerts import P3
from bench.configuration import silent
from bench.people import CITY, EVERYWHERE, Crowd
from bench.relay import Relay, running

_WARM = 60
_AT_ONCE = 8
_CANCELLED = 100


async def soak(relay: Relay, *, alerts: int, recipients: int) -> dict[str, Any]:
    """Run the alerts and return what was seen."""
    crowd = Crowd(count=recipients, prefix="p", kind="sms", address="+7701{n:07}", place=CITY)
    await relay.fill(crowd)
    await _run(relay, "warm", _WARM, cancel=True)
    await _archived(relay, _WARM + _WARM // _CANCELLED + 1)
    before, keys_before = await relay.store.memory(), await relay.store.sizes()
    memory = {name: _rss(pid) for name, pid in relay.processes().items()}
    cpu, began = relay.cpu(), time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        done = asyncio.Event()
        peak = tasks.create_task(_peak(relay, done))
        cancels = await _run(relay, "soak", alerts, cancel=True)
        sent = time.perf_counter() - began
        await _archived(relay, _WARM + 1 + alerts + cancels)
        done.set()
    after, keys_after = await relay.store.memory(), await relay.store.sizes()
    archive = (await relay.client.look("/status"))["archive"]
    return {
        "alerts": alerts,
        "recipients": recipients,
        "cancels": cancels,
        "deliveries": alerts * recipients,
        "used_memory_before": before,
        "used_memory_after": after,
        "growth_per_cent": round(100 * (after - before) / before, 2),
        "used_memory_peak": peak.result(),
        "keys_before": keys_before,
        "keys_after": keys_after,
        "seconds_until_all_sent": round(sent, 1),
        "seconds_until_all_archived": round(time.perf_counter() - began, 1),
        "cpu_seconds": {name: round(used - cpu.get(name, 0.0), 1) for name, used in relay.cpu().items()},
        "rss_mb_before_and_after": {
            name: [round(rss / 2**20, 1), round(_rss(relay.processes()[name]) / 2**20, 1)]
            for name, rss in memory.items()
        },
        "archive_bytes": archive["bytes"],
        "archive_bytes_per_delivery": round(archive["bytes"] / ((alerts + _WARM + cancels) * recipients), 1),
        "archive_error": archive["error"],
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


async def _run(relay: Relay, name: str, alerts: int, *, cancel: bool) -> int:
    """Post alerts, some at a time, and wait until each is completed; return how many were cancelled afterwards."""
    numbers, cancelled = iter(range(alerts)), 0

    async def one_after_the_other() -> None:
        nonlocal cancelled
        for number in numbers:
            posted = await relay.client.post(f"{name}-{number}", P3, EVERYWHERE, brief=True)
            await relay.client.completed(posted.alert_id, within=600)
            if cancel and number % _CANCELLED == 0:
                done = await relay.client.cancel(posted.alert_id)
                await relay.client.completed(done.alert_id, within=600)
                cancelled += 1

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(one_after_the_other())
    return cancelled


async def _archived(relay: Relay, count: int) -> None:
    """Wait until the archive holds so many alerts and Redis none."""
    deadline = time.perf_counter() + 1800
    while True:
        archive = (await relay.client.look("/status"))["archive"]
        left = (await relay.store.sizes()).get("alerts", 0)
        if archive["alerts"] >= count and not left:
            return
        if time.perf_counter() > deadline:
            raise TimeoutError(f"archived {archive} of {count}; {left} bytes of alerts are left")
        await asyncio.sleep(1)


async def _peak(relay: Relay, done: asyncio.Event) -> int:
    most = 0
    while not done.is_set():
        most = max(most, await relay.store.memory())
        await asyncio.sleep(1)
    return most


def _rss(pid: int) -> int:
    """Return the resident bytes of a process."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * 4096


async def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """Start a relay, run the soak and end it."""
    extra = f"[archive]\nafter = {arguments.after}"

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    async with running(silent("null"), say=say, extra=extra) as relay:
        return await soak(relay, alerts=arguments.alerts, recipients=arguments.recipients)


def main(arguments: argparse.Namespace) -> int:
    """Run, print, and say by the exit code whether Redis is where it began."""
    found = asyncio.run(measured(arguments))
    text = orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
    print(text)
    if arguments.output:
        Path(arguments.output).write_text(text + "\n", encoding="utf-8")
    return 0 if abs(found["growth_per_cent"]) <= arguments.most else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=2000)
    parser.add_argument("--recipients", type=int, default=1000)
    parser.add_argument("--after", type=float, default=5.0, help="seconds that a finished alert stays in Redis")
    parser.add_argument("--most", type=float, default=2.0, help="growth of used memory that is no failure (%%)")
    parser.add_argument("--output", default="")
    sys.exit(main(parser.parse_args()))
