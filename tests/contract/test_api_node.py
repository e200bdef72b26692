"""The API process put together: it accepts before Redis is there, and tells nothing before the directory is back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from relay.api_node import After, ApiNode
from relay.clock import SystemClock
from relay.intake.answer import Post
from relay.intake.authority import Key, Role
from relay.intake.frames import Frame
from relay.intake.journal import Journal
from relay.settings import Settings
from relay.store.connection import Connection
from tests.contract.node_side import api_node


async def test_accepts_before_redis_is_there(tmp_path: Path) -> None:
    """The first alert of the day does not wait for a server that is still starting."""
    clock = SystemClock()
    connection = Connection(f"unix://{tmp_path}/nothing.sock", timeout=0.5)
    settings = Settings.model_validate({"data_dir": str(tmp_path)})
    node = await ApiNode.build(settings, connection, tmp_path, clock=clock)
    await node.load()
    now = clock.now()
    key = Key(key_id="aaaaaaaa", name="meteo", role=Role.ADMIN, senders=("*",), created=now, updated=now)
    body = f"""{{"identifier": "a-1", "sender": "duty@meteo.example", "sent": "{now.isoformat(timespec="seconds")}",
        "status": "Actual", "msgType": "Alert", "scope": "Public", "info": [{{"category": ["Met"], "event": "Flood",
        "urgency": "Expected", "severity": "Severe", "certainty": "Likely",
        "area": [{{"areaDesc": "Almaty", "circle": ["43.2,76.9 10"]}}]}}]}}"""
    try:
        answer = await node.services.accept.post(
            Post(body=body.encode(), media="json", content_type="application/json"), key=key
        )
    finally:
        await node.journal.close()
        await connection.close()

    assert (answer.state, answer.redis) == ("accepted", "pending")
    assert node.services.state.pending == 1


async def test_journal_is_read_once(redis: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of a week takes seconds to read: a start does it once, and knows then what was posted before."""
    async with api_node(redis, tmp_path) as first:
        answer = await first.post(first.xml("a-1"))
    read: list[Journal] = []
    records = Journal.records

    def counted(journal: Journal) -> Iterator[Frame]:
        read.append(journal)
        return records(journal)

    monkeypatch.setattr(Journal, "records", counted)
    async with api_node(redis, tmp_path) as node:
        again = await node.post(first.xml("a-1"))

        assert len(read) == 1
        assert node.remember.pending == 1
        assert (again.alert_id, again.duplicate is not None) == (answer.alert_id, True)
        assert node.node._reading is None


async def test_parts_run_and_end(redis: Connection, tmp_path: Path) -> None:
    """They bring the directory and the journal to Redis, and all of them end when they are told to."""
    async with api_node(redis, tmp_path) as first:
        answer = await first.post(first.xml("a-1"))
    async with api_node(redis, tmp_path) as node:
        stopping = asyncio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for name, part in node.node.parts.items():
                tasks.create_task(part.run(stopping), name=name)
            while not await node.state(answer.alert_id) or not node.remember.available:
                await asyncio.sleep(0.02)
            stopping.set()

        assert {
            "archivist 0",
            "directory",
            "housekeeping",
            "keys",
            "late mail",
            "lending",
            "remember",
            "retention",
            "servers",
            "state",
        } == set(node.node.parts)
        assert await node.services.directory_store.epoch()
        assert await node.state(answer.alert_id) == "accepted"


class Noted:
    """A part that says when it ran."""

    def __init__(self) -> None:
        self.ran = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        self.ran.set()
        await stopping.wait()


async def test_after_waits_for_its_event() -> None:
    """Alerts are not applied before people are known to match them against."""
    stopping, event, part = asyncio.Event(), asyncio.Event(), Noted()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(After(event, part).run(stopping))
        await asyncio.sleep(0)
        early = part.ran.is_set()
        event.set()
        await part.ran.wait()
        stopping.set()

    assert not early


async def test_after_ends_although_its_event_never_comes() -> None:
    """A relay that waits for Redis ends when it is told to."""
    stopping, part = asyncio.Event(), Noted()
    stopping.set()
    async with asyncio.timeout(5):
        await After(asyncio.Event(), part).run(stopping)
