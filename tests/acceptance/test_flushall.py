"""FLUSHALL in the middle: the directory returns from this node's copy, alerts from the journal, copies are labelled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from relay.store import keys
from tests.acceptance.agency_side import alert, on_duty, person
from tests.acceptance.conftest import MakeRelay
from tests.acceptance.judge import judge, lines
from tests.acceptance.relay_side import Relay, until

PEOPLE = 500
ALERTS = 6


async def _command(relay: Relay, *words: str) -> Any:
    client = Redis(unix_socket_path=str(relay.data_dir / "redis" / "redis.sock"))
    try:
        return await client.execute_command(*words)  # type: ignore[no-untyped-call]
    finally:
        await client.aclose()


async def test_flushall_while_alerts_flow(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Everything in Redis is gone: ordinals come back as they were, all are told, who was told before is labelled."""
    file = tmp_path / "sms.sent"
    relay = make_relay(channels={"console": console(delay=0.1)}, engine={"slots": 1, "chunk": 100})
    async with on_duty(relay, people=PEOPLE) as agency:
        ids = await agency.posted(range(ALERTS))
        before = await _command(relay, "HGETALL", keys.DIR_IDS)
        await until(lambda: lines(file) >= PEOPLE, within=30, why="it flows")
        await _command(relay, "FLUSHALL")
        told = lines(file)
        found = await judge(agency, ids, [file], people=PEOPLE, kinds=("sms",))
        after = await _command(relay, "HGETALL", keys.DIR_IDS)
        one = await agency.ask("GET", "/v1/recipients/person-7")

    assert told < PEOPLE * ALERTS
    assert after == before
    assert len(after) == PEOPLE
    assert (one.status, one.body["name"]) == (200, person(7, ("sms",))["name"])
    assert found.kept, found


async def test_duplicates_are_known_after_flushall(
    make_relay: MakeRelay, console: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """The same POST after a total loss is a duplicate, not another alert, and the first is told again only labelled."""
    relay = make_relay(channels={"console": console()})
    async with on_duty(relay, people=20) as agency:
        document = alert(1)
        first = await agency.post(document)
        await agency.completed(first.body["id"], within=30)
        await _command(relay, "FLUSHALL")
        same = await agency.post(document)
        found = await judge(agency, {1: first.body["id"]}, [tmp_path / "sms.sent"], people=20, kinds=("sms",))

    assert (same.status, same.body["duplicate"]["of"]) == (200, first.body["id"])
    assert found.kept, found
