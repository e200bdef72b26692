"""Redis is cold, silent or gone: the journal alone makes the promise, and what was promised is kept later."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relay.store.server_choice import wheel_binaries
from tests.acceptance.agency_side import Agency, alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge
from tests.acceptance.relay_side import send, until

PEOPLE = 20


def _slow_server(folder: Path, *, seconds: float) -> Path:
    """Return a server that takes its time before it starts."""
    real = shutil.which("redis-server") or str(wheel_binaries()[0])
    script = folder / "slow-server"
    script.write_text(f'#!/bin/sh\n[ "$1" = --version ] || sleep {seconds}\nexec "{real}" "$@"\n')
    script.chmod(0o755)
    return script


async def test_cold_redis_does_not_delay_accepting(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A POST in the first moments, long before Redis is up, is a 202 that says so, and is delivered."""
    relay = make_relay(
        channels={"console": console()}, redis={"server": str(_slow_server(tmp_path, seconds=3))}, engine={"workers": 1}
    )
    await relay.start()
    async with Agency(relay) as agency:
        answers = {number: await agency.post(alert(number)) for number in range(5)}
        ready = await agency.ask("GET", "/readyz")
        again = await agency.post(alert(0) | {"sent": answers[0].body["sent"]})
        ids = {number: answer.body["id"] for number, answer in answers.items()}
        ended = [await agency.completed(alert_id, within=30) for alert_id in ids.values()]

    assert [answer.status for answer in answers.values()] == [202] * 5
    assert {answer.redis for answer in answers.values()} == {"pending"}
    assert max(answer.took for answer in answers.values()) < 1.5
    assert ready.status == 200
    assert again.status in (200, 409)  # its expiry moved with the clock: the same message, or a conflict, never another
    assert {(document["state"], document["reason"]) for document in ended} == {("completed", "no_recipients")}


async def test_silent_redis_does_not_stop_accepting(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Redis that hangs (SIGSTOP) makes answers "pending" within about a second; then all are told, once."""
    relay = make_relay(channels={"console": console()})
    async with on_duty(relay, people=PEOPLE) as agency:
        first = await agency.post(alert(0))
        await agency.completed(first.body["id"], within=30)
        pid = await relay.one("redis")
        send(pid, signal.SIGSTOP)
        try:
            answers = {0: first} | {number: await agency.post(alert(number)) for number in range(1, 6)}
            stale = await agency.ask("GET", f"/v1/alerts/{answers[3].body['id']}")
            ready = await agency.ask("GET", "/readyz")
        finally:
            send(pid, signal.SIGCONT)
        ids = {number: answer.body["id"] for number, answer in answers.items()}
        found = await judge(agency, ids, [tmp_path / "sms.sent"], people=PEOPLE, kinds=("sms",))

    assert [answer.status for answer in answers.values()] == [202] * 6
    assert {answer.redis for number, answer in answers.items() if number} == {"pending"}
    assert max(answer.took for answer in answers.values()) < 1.5
    assert (stale.status, stale.body.get("stale")) == (200, True)
    assert ready.status == 200
    assert found.once, found


async def test_same_alert_during_the_outage_is_known(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]]
) -> None:
    """The node's own memory finds a duplicate and a conflict while Redis cannot be asked."""
    relay = make_relay(channels={"console": console()})
    await relay.start()
    async with Agency(relay) as agency:
        pid = await relay.one("redis")
        send(pid, signal.SIGSTOP)
        try:
            document = alert(1)
            first = await agency.post(document)
            same = await agency.post(document)
            document["info"][0]["headline"] = "Flood 0001, another content"
            other = await agency.post(document)
        finally:
            send(pid, signal.SIGCONT)

    assert (first.status, first.redis) == (202, "pending")
    assert (same.status, same.body["duplicate"]["of"]) == (200, first.body["id"])
    assert other.status == 409


async def test_redis_that_hangs_while_alerts_flow_loses_nothing(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A pause of Redis longer than a lease, in the middle of sending, is no loss and no unlabelled copy."""
    people, file = 600, tmp_path / "sms.sent"
    relay = make_relay(channels={"console": console(delay=0.1)}, engine={"slots": 2})
    async with on_duty(relay, people=people) as agency:
        ids = await agency.posted(range(10))
        await until(lambda: file.exists() and file.stat().st_size > 0, within=20, why="it flows")
        pid = await relay.one("redis")
        send(pid, signal.SIGSTOP)
        try:
            silent = await _quiet(file)
        finally:
            send(pid, signal.SIGCONT)
        found = await judge(agency, ids, [file], people=people, kinds=("sms",))

    assert silent < people * 10
    assert found.kept, found


async def _quiet(file: Path) -> int:
    """Wait until nothing has been handed over for longer than a lease; return how many were before."""
    size, still = -1, 0

    def stands_still() -> bool:
        nonlocal size, still
        now = file.stat().st_size
        still = still + 1 if now == size else 0
        size = now
        return still > 130  # looks 0.02 s apart

    await until(stands_still, within=20, why="without Redis the flow stands still")
    return file.read_bytes().count(b"\n")
