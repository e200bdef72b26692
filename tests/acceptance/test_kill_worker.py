"""``kill -9`` of the worker and of Redis, again and again, while alerts flow: nothing is lost, every copy is labelled."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.agency_side import Agency, alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import Relay, alive, send, until

PEOPLE = 1_000
ALERTS = 20
KINDS = ("sms", "email")
#: How often each is killed; 20 by hand.
KILLS = int(os.environ.get("CHAPAR_KILLS", "5"))

#: Chunks in hand of one lane: its slots, and two more for P0 and P1.
SLOTS = 2
IN_FLIGHT = SLOTS + 2


async def _post_all(agency: Agency) -> dict[int, str]:
    """Post all alerts one after the other; the relay is being killed meanwhile, and takes every one."""
    ids = {}
    for number in range(ALERTS):
        answer = await agency.post(alert(number))
        assert answer.status == 202, answer.body
        assert answer.body["priority"] == "P1"
        ids[number] = answer.body["id"]
        await asyncio.sleep(0.05)
    return ids


async def _kill_all(relay: Relay, files: list[Path]) -> None:
    """Kill the worker and Redis in turn, evenly over the flow."""
    victims = ["worker", "redis"] * KILLS
    portion = PEOPLE * ALERTS * len(KINDS) // (len(victims) + 1)
    for number, victim in enumerate(victims, start=1):
        await until(
            lambda floor=number * portion: lines(*files) >= floor,
            within=60,
            why=f"kill {number}: {lines(*files)} of {number * portion} sent",
        )
        pid = await relay.one(victim)
        await asyncio.to_thread(_next_write, files)
        send(pid, signal.SIGKILL)
        await until(lambda gone=pid: not alive(gone), within=5, why=f"{victim} is dead")


def _next_write(files: list[Path]) -> None:
    """Return the moment something more is handed over: a worker that dies now has told nobody of it."""
    sizes, deadline = [file.stat().st_size for file in files], time.monotonic() + 20
    while sizes == [file.stat().st_size for file in files]:
        assert time.monotonic() < deadline, "nothing flows"


@pytest.mark.timeout(60 + 30 * KILLS)
async def test_kills_lose_nothing_and_label_every_copy(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """1,000 recipients × 20 alerts by a channel that drops copies and one that does not: none lost, none unlabelled."""
    channels = {
        "careful": console("sms", idempotent=False, delay=0.05),
        "simple": console("email", idempotent=True, delay=0.1),
    }
    files = [tmp_path / "sms.sent", tmp_path / "email.sent"]
    relay = make_relay(channels=channels, engine={"slots": SLOTS})
    async with on_duty(relay, people=PEOPLE, kinds=KINDS) as agency:
        async with asyncio.TaskGroup() as tasks:
            posting = tasks.create_task(_post_all(agency))
            tasks.create_task(_kill_all(relay, files))
        found = await judge(agency, posting.result(), files, people=PEOPLE, kinds=KINDS)
    print(found)

    assert found.pairs == PEOPLE * ALERTS * len(KINDS)
    assert found.kept, found
    # One unsettled batch for each chunk in flight: 64 where intent is written first, 256 elsewhere.
    assert found.copies <= found.labelled <= 2 * KILLS * IN_FLIGHT * (64 + 256), found
