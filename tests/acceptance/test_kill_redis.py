"""``kill -9`` of Redis: accepting never stops, and everybody is told once Redis is back."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.agency_side import alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge
from tests.acceptance.relay_side import Relay, send, until

PEOPLE = 20
ALERTS = 30


async def _keep_killing(relay: Relay, stopping: asyncio.Event) -> int:
    """Kill each Redis that comes up until told to stop; return how many."""
    killed = 0
    while not stopping.is_set():
        for process in relay.processes("redis"):
            send(process.pid, signal.SIGKILL)
            killed += 1
        await asyncio.sleep(0.05)
    return killed


async def test_posts_are_taken_while_redis_dies_again_and_again(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Each POST is a 202 in about a second, whatever Redis does, and each alert is delivered afterwards."""
    relay = make_relay(channels={"console": console()})
    async with on_duty(relay, people=PEOPLE) as agency:
        stopping = asyncio.Event()
        answers = {}
        async with asyncio.TaskGroup() as tasks:
            killing = tasks.create_task(_keep_killing(relay, stopping))
            for number in range(ALERTS):
                answers[number] = await agency.post(alert(number))
                await asyncio.sleep(0.1)
            stopping.set()
        ids = {number: answer.body["id"] for number, answer in answers.items()}
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert {answer.status for answer in answers.values()} == {202}
    assert {answer.redis for answer in answers.values()} <= {"pending", "applied"}
    assert "pending" in {answer.redis for answer in answers.values()}
    assert max(answer.took for answer in answers.values()) < 1.5
    assert killing.result() >= 2
    assert found.kept, found


async def test_redis_that_comes_back_knows_what_was_accepted(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """An alert that was completed before the kill is still completed after it, and nobody is told again."""
    relay = make_relay(channels={"console": console()})
    async with on_duty(relay, people=PEOPLE) as agency:
        answer = await agency.post(alert(1))
        before = await agency.completed(answer.body["id"], within=30)
        killed = await relay.kill("redis")
        await until(lambda: {p.pid for p in relay.processes("redis")} - {killed}, within=20, why="Redis is back")
        later = await agency.post(alert(2))
        ids = {1: answer.body["id"], 2: later.body["id"]}
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))
        after = await agency.completed(answer.body["id"], within=10)

    assert after["counts"] == before["counts"] == {"delivered": PEOPLE}
    assert found.once, found
