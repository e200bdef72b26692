"""Redis runs full: low alerts wait and say so, urgent ones go out, nothing is refused, and all go on by themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from tests.acceptance.agency_side import alert, on_duty
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import lines
from tests.acceptance.relay_side import Relay, until

PEOPLE = 6_000
LOW = {"urgency": "Expected", "severity": "Moderate", "certainty": "Likely"}


async def ask(relay: Relay, *words: str | int) -> Any:
    """Ask the relay's Redis."""
    client = Redis(unix_socket_path=str(relay.data_dir / "redis" / "redis.sock"))
    try:
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]
    finally:
        await client.aclose()


async def leave(relay: Relay, *, room: int) -> None:
    """Let so many bytes be free, apart from the fifth that is for urgent news."""
    used = (await ask(relay, "INFO", "memory"))["used_memory"]
    await ask(relay, "CONFIG", "SET", "maxmemory", int((used + room) / 0.8))


async def test_low_alerts_wait_for_room(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A plan that does not fit waits with its reason and an alarm, while an urgent one of the same size goes out."""
    relay, file = make_relay(channels={"console": console()}), tmp_path / "sms.sent"
    async with on_duty(relay, people=PEOPLE) as agency:
        await leave(relay, room=90_000)
        low = await agency.post(alert(1, **LOW))

        async def waits() -> bool:
            return ((await agency.get(f"/v1/alerts/{low.body['id']}")) or {}).get("reason") == "waits_for_memory"

        await until(waits, within=10, why="the plan waits for memory")
        status = await agency.status()
        before = lines(file)
        urgent = await agency.post(alert(2))
        await agency.completed(urgent.body["id"], within=60)
        still = await waits()
        await ask(relay, "CONFIG", "SET", "maxmemory", 0)
        done = await agency.completed(low.body["id"], within=60)

    assert (low.status, low.redis) == (202, "applied")
    assert "memory" in [alarm["code"] for alarm in status["alarms"]]
    assert status["memory"]["limit"] > status["memory"]["used"]
    assert (before, still) == (0, True)
    assert (done["reason"], done["counts"]) == (None, {"delivered": PEOPLE})
    assert lines(file) == 2 * PEOPLE


async def test_accepting_goes_on_without_a_byte(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Redis takes nothing at all: posts are 202 and pending, reading goes on, and all are sent when there is room."""
    relay, file = make_relay(channels={"console": console()}), tmp_path / "sms.sent"
    async with on_duty(relay, people=50) as agency:
        first = await agency.post(alert(0))
        await agency.completed(first.body["id"], within=20)
        await ask(relay, "CONFIG", "SET", "maxmemory", 1)
        posted = [await agency.post(alert(number, **({} if number % 2 else LOW))) for number in range(1, 7)]
        read = await agency.ask("GET", f"/v1/alerts/{first.body['id']}")
        ready = await agency.ask("GET", "/readyz")
        refused = await agency.ask("GET", "/status")
        await ask(relay, "CONFIG", "SET", "maxmemory", 0)
        for answer in posted:
            await agency.completed(answer.body["id"], within=60)

    assert [(answer.status, answer.redis) for answer in posted] == [(202, "pending")] * 6
    assert (read.status, ready.status, refused.status) == (200, 200, 200)
    assert lines(file) == 7 * 50
