"""``kill -9`` of every process, and of the one that owns the others: the next start keeps every promise."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay.process import death_signal_prefix
from tests.acceptance.agency_side import Agency, alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import alive, until

PEOPLE = 20

needs_death_signal = pytest.mark.skipif(not death_signal_prefix(), reason="setpriv of util-linux is not here")


async def test_power_cut_right_after_the_answer(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """An alert is told although everything died the moment it was answered; also before Redis was even up."""
    relay = make_relay(channels={"console": console()})
    await relay.start()
    ids = {}
    async with Agency(relay) as agency:
        await agency.people(PEOPLE)
        for number in range(4):
            answer = await agency.post(alert(number))
            await relay.kill_everything()
            assert answer.status == 202
            ids[number] = answer.body["id"]
            await relay.start()
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert found.kept, found


async def test_power_cut_in_the_middle_of_sending(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """What was being sent goes on after the restart: nobody forgotten, whoever was told twice is labelled."""
    people, file = 1000, tmp_path / "sms.sent"
    relay = make_relay(channels={"console": console(idempotent=False, delay=0.05)}, engine={"slots": 2})
    async with on_duty(relay, people=people) as agency:
        ids = await agency.posted(range(5))
        for portion in (1, 2):
            await until(lambda floor=portion * 1500: lines(file) >= floor, within=40, why="it flows")
            await relay.kill_everything()
            await relay.start()
        found = await judge(agency, ids, [file], people=people, kinds=("sms",))

    assert found.kept, found
    assert found.copies <= found.labelled <= 2 * 4 * 64, found


@needs_death_signal
async def test_orphans_end_by_themselves(make_relay: MakeRelay, console: Callable[..., dict[str, Any]]) -> None:
    """After ``kill -9`` of ``relay serve``, its worker and its Redis end within seconds."""
    relay = make_relay(channels={"console": console()})
    await relay.start()
    worker, redis = await relay.one("worker"), await relay.one("redis")
    await relay.kill("serve")
    await until(lambda: not alive(worker) and not alive(redis), within=10, why="worker and Redis end")

    assert not relay.processes()


async def test_restart_at_once_after_a_kill(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Whoever starts the relay again the moment it was killed need not wait for what is left of the old one."""
    relay = make_relay(channels={"console": console()})
    async with on_duty(relay, people=PEOPLE) as agency:
        first = await agency.post(alert(1))
        await relay.kill("serve")
        await relay.start()
        second = await agency.post(alert(2))
        ids = {1: first.body["id"], 2: second.body["id"]}
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert (first.status, second.status) == (202, 202)
    assert found.kept, found


async def test_clean_stop_loses_and_repeats_nothing(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """SIGTERM in the middle of sending ends with 0, and the next start goes on exactly where it stopped."""
    people, file = 1000, tmp_path / "sms.sent"
    relay = make_relay(channels={"console": console(delay=0.1)}, engine={"slots": 2})
    async with on_duty(relay, people=people) as agency:
        ids = await agency.posted(range(5))
        await until(lambda: lines(file) >= 500, within=30, why="it flows")
        began = asyncio.get_running_loop().time()
        code = await relay.stop()
        took = asyncio.get_running_loop().time() - began
        left = relay.processes()
        stopped_at = lines(file)
        await relay.start()
        found = await judge(agency, ids, [file], people=people, kinds=("sms",))

    assert code == 0
    assert took < 10
    assert not left
    assert stopped_at < people * len(ids)
    assert found.once, found
    assert not found.labelled, found
