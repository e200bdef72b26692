"""A worker that stands still for longer than its lease, and wakes up when another has done its work."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.agency_side import alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import send, until

PEOPLE = 1_000


@pytest.mark.parametrize("idempotent", [True, False], ids=["simple", "careful"])
async def test_worker_that_slept_longer_than_its_lease(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path, idempotent: bool
) -> None:
    """Another worker finishes its chunks; what the sleeper still does when it wakes up is little, and labelled."""
    file = tmp_path / "sms.sent"
    channel = console(delay=0.1 if idempotent else 0.03, idempotent=idempotent)
    relay = make_relay(channels={"console": channel}, engine={"workers": 2, "slots": 2})
    async with on_duty(relay, people=PEOPLE) as agency:
        await until(lambda: len(relay.processes("worker")) == 2, within=20, why="two workers live")
        ids = await agency.posted(range(6))
        await until(lambda: lines(file) >= 1_000, within=30, why="it flows")
        sleeper = relay.processes("worker")[0].pid
        send(sleeper, signal.SIGSTOP)
        try:
            for alert_id in ids.values():
                await agency.completed(alert_id, within=40)
        finally:
            send(sleeper, signal.SIGCONT)
        before = lines(file)
        later = await agency.post(alert(6))
        await agency.completed(later.body["id"], within=30)
        found = await judge(agency, ids | {6: later.body["id"]}, [file], people=PEOPLE, kinds=("sms",))

    assert before >= PEOPLE * len(ids)
    assert found.kept, found
    assert found.copies <= found.labelled <= 4 * (256 if idempotent else 64), found
