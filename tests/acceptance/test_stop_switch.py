"""The stop switch: acts within a second, survives a restart, works while Redis is silent."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.agency_side import alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import send, until

PEOPLE = 500
ALERTS = 5


async def _still(file: Path, *, seconds: float) -> bool:
    """Say whether nothing at all is handed over for ``seconds``."""
    before = lines(file)
    await asyncio.sleep(seconds)  # the absence of something can only be waited for
    return lines(file) == before


async def test_stop_holds_until_it_is_taken_back(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Stopped within a second, still stopped after ``kill -9`` and a restart, then all are told once."""
    file = tmp_path / "sms.sent"
    relay = make_relay(channels={"console": console() | {"rate": 1000}})
    async with on_duty(relay, people=PEOPLE) as agency:
        ids = await agency.posted(range(ALERTS))
        await until(lambda: lines(file) > 0, within=30, why="it flows")
        stopped = await agency.ask("POST", "/v1/stop")
        await asyncio.sleep(1)
        at_once = await _still(file, seconds=0.5)
        before = lines(file)
        await relay.stop()
        await relay.start()
        accepted = await agency.post(alert(ALERTS))
        await until(lambda: relay.log.count('"index_') == 2, within=30, why="the new worker could send")
        after_restart = await _still(file, seconds=1.5)
        resumed = await agency.ask("POST", "/v1/resume")
        ids[ALERTS] = accepted.body["id"]
        found = await judge(agency, ids, [file], people=PEOPLE, kinds=("sms",))

    assert (stopped.status, resumed.status, accepted.status) == (200, 200, 202)
    assert at_once
    assert after_restart
    assert before < PEOPLE * ALERTS
    assert found.once, found


async def test_stop_works_while_redis_is_silent(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A stop that is pressed during an outage holds when Redis is back."""
    file = tmp_path / "sms.sent"
    relay = make_relay(channels={"console": console() | {"rate": 1000}})
    async with on_duty(relay, people=PEOPLE) as agency:
        ids = await agency.posted(range(ALERTS))
        await until(lambda: lines(file) > 0, within=30, why="it flows")
        redis = await relay.one("redis")
        send(redis, signal.SIGSTOP)
        try:
            stopped = await agency.ask("POST", "/v1/stop")
        finally:
            send(redis, signal.SIGCONT)
        await asyncio.sleep(1)
        holds = await _still(file, seconds=1)
        before = lines(file)
        resumed = await agency.ask("POST", "/v1/resume")
        found = await judge(agency, ids, [file], people=PEOPLE, kinds=("sms",))

    assert (stopped.status, resumed.status) == (200, 200)
    assert stopped.took < 1.5
    assert holds
    assert before < PEOPLE * ALERTS
    assert found.kept, found
