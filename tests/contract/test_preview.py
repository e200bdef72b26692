"""Previews: who would be told, answered by a worker, and never by its death."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from relay.adapter import Kind
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.directory.egress import Guard
from relay.fanout.channels import Channels
from relay.fanout.matcher import Audience
from relay.fanout.plan import Pairs
from relay.fanout.preview import Previewer
from relay.settings import Channel, Settings
from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.store.receipts import Previews
from relay.testing.clocks import FakeClock
from tests.contract.node_side import POLYGON

ALERT = f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a-1</identifier>
<sender>duty@meteo.example</sender><sent>2026-03-01T12:00:00+06:00</sent><status>Actual</status>
<msgType>Alert</msgType><scope>Public</scope><info><language>ru</language><category>Met</category><event>Паводок</event>
<urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>
<headline>Паводок</headline><area><areaDesc>Алматы</areaDesc><polygon>{POLYGON}</polygon></area></info></alert>"""


class Crowd:
    """Everybody matches, or it fails."""

    def __init__(self) -> None:
        self.count = 3
        self.error: Exception | None = None
        self.drill: bool | None = None

    async def match(self, alert: Alert, *, drill: bool) -> Audience:
        self.drill = drill
        if self.error is not None:
            raise self.error
        n = self.count
        sms = Pairs(np.arange(n, dtype=np.uint32), np.zeros(n, np.uint8), np.zeros(n, np.uint16))
        return Audience(n, {Kind.SMS: sms, Kind.EMAIL: sms.where(np.zeros(n, bool))})

    async def match_many(self, alerts: Sequence[tuple[Alert, bool]]) -> Sequence[Audience]:
        return [await self.match(alert, drill=drill) for alert, drill in alerts]


class World:
    """A previewer and somebody who asks."""

    def __init__(self, redis: Connection, folder: Path) -> None:
        self.crowd = Crowd()
        self.previews = Previews(redis, Partition())
        console = Channel(adapter="console", settings={"kind": "sms", "path": str(folder / "sms.ndjson")})
        channels = Channels.configured(
            {"sms": console}, egress=Guard(), public_host="relay.example", clock=FakeClock(), timeout=5, base=folder
        )
        self.previewer = Previewer(self.previews, self.crowd, channels, settings=Settings(), limits=Limits())

    async def ask(self, body: str, *, media: str = "xml", ask: str = "one") -> Mapping[str, Any]:
        """Ask, and let the previewer answer."""
        stopping = asyncio.Event()
        request = {"id": ask, "media": media, "charset": "", "body": base64.b64encode(body.encode()).decode()}
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.previewer.run(stopping))
            found = await self.previews.ask(ask, orjson.dumps(request), seconds=5)
            stopping.set()
        assert found is not None
        answer: Mapping[str, Any] = orjson.loads(found)
        return answer


@pytest.fixture
def world(redis: Connection, tmp_path: Path) -> World:
    return World(redis, tmp_path)


async def test_who_would_be_told(world: World) -> None:
    """Class, people, messages by kind and the SMS parts of each language; nobody by e-mail is left out."""
    answer = await world.ask(ALERT)

    assert (answer["priority"], answer["recipients"], answer["messages"]) == ("P1", 3, {"sms": 3})
    assert list(answer["segments"]) == ["ru"]
    assert answer["segments"]["ru"] >= 1
    assert world.crowd.drill is False


async def test_nobody(world: World) -> None:
    """An empty audience costs nothing."""
    world.crowd.count = 0
    answer = await world.ask(ALERT)

    assert (answer["recipients"], answer["messages"]) == (0, {})


async def test_drill_is_asked_as_one(world: World) -> None:
    """An exercise is matched with those who drill."""
    answer = await world.ask(ALERT.replace("Actual", "Exercise"))

    assert (answer["priority"], world.crowd.drill) == ("PX", True)


async def test_what_is_no_alert(world: World) -> None:
    """The answer says so, and the next question is answered."""
    broken = await world.ask("<alert")
    json = await world.ask("{", media="json", ask="two")

    assert "error" in broken
    assert "error" in json
    assert (await world.ask(ALERT, ask="three"))["recipients"] == 3


async def test_defect_does_not_end_the_worker(world: World) -> None:
    """It also sends."""
    world.crowd.error = RuntimeError("a defect")
    failed = await world.ask(ALERT)
    world.crowd.error = None

    assert "failed" in failed["error"]
    assert (await world.ask(ALERT, ask="two"))["recipients"] == 3
