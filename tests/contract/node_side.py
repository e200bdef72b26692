"""The services of an API process over a real server, without HTTP: what is journalled, and what Redis then knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from relay.api_node import ApiNode
from relay.intake.accept import Accept
from relay.intake.answer import Answer, Post
from relay.intake.authority import Key, Mode, Role
from relay.intake.decisions import Decisions
from relay.intake.frames import FrameType
from relay.intake.journal import Journal
from relay.intake.remember import Remember
from relay.settings import Settings
from relay.store.connection import Connection
from relay.testing.clocks import FakeClock

POLYGON = "43.05,76.65 43.05,77.25 43.45,77.25 43.45,76.65 43.05,76.65"
HOUR = timedelta(hours=1)


class NodeSide:
    """An API node, a clock that tests move, and short words for what an agency does."""

    def __init__(self, node: ApiNode, redis: Connection, clock: FakeClock, folder: Path) -> None:
        self.node = node
        self.redis = redis
        self.clock = clock
        self.folder = folder
        self.services = node.services
        self.key = Key(
            key_id="aaaaaaaa",
            name="meteo",
            role=Role.AGENCY,
            senders=("*@meteo.example",),
            created=clock.now(),
            updated=clock.now(),
        )

    @property
    def accept(self) -> Accept:
        """The way in."""
        return self.services.accept

    @property
    def remember(self) -> Remember:
        """What waits for Redis."""
        return self.node._remember

    @property
    def journal(self) -> Journal:
        """The journal."""
        return self.node.journal

    @property
    def decisions(self) -> Decisions:
        """What people decide."""
        found = self.services.decisions
        assert isinstance(found, Decisions)
        return found

    async def post(self, body: bytes, *, key: Key | None = None) -> Answer:
        """Post an alert in XML."""
        return await self.accept.post(
            Post(body=body, media="xml", content_type="application/cap+xml"), key=key or self.key
        )

    def xml(self, identifier: str, **values: str) -> bytes:
        """Return an alert for Almaty, sent now; values replace elements, ``references`` and ``area`` are added."""
        sent = values.pop("sent", stamp(self.clock.now()))
        expires = values.pop("expires", stamp(self.clock.now() + HOUR))
        references = values.pop("references", "")
        area = values.pop("area", f"<area><areaDesc>Almaty</areaDesc><polygon>{POLYGON}</polygon></area>")
        given = {"sender": "duty@meteo.example", "status": "Actual", "msgType": "Alert", "severity": "Severe"} | values
        return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>{given["sender"]}</sender><sent>{sent}</sent><status>{given["status"]}</status>
<msgType>{given["msgType"]}</msgType><scope>Public</scope>
{f"<references>{references}</references>" if references else ""}
<info><language>en</language><category>Met</category><event>Flood</event><urgency>Expected</urgency>
<severity>{given["severity"]}</severity><certainty>Likely</certainty><expires>{expires}</expires>
<headline>{given.get("headline", "Flood")}</headline>{area}</info></alert>""".encode()

    def reference(self, identifier: str, *, sender: str = "duty@meteo.example", sent: datetime | None = None) -> str:
        """Return a reference to an alert that was sent now."""
        return f"{sender},{identifier},{stamp(sent or self.clock.now())}"

    async def state(self, alert_id: str) -> str:
        """Return an alert's state in Redis."""
        return await self.services.alerts.state(alert_id)

    def accepted(self) -> int:
        """Return how many alerts the journal holds."""
        return sum(frame.type == FrameType.ACCEPT for frame in self.journal.records())

    async def catch_up(self) -> None:
        """Tell Redis what waits, as the running node does within a second."""
        await self.remember._watch()
        await self.remember._drain(asyncio.Event())
        self.remember.available = True

    async def hang(self, *, seconds: float) -> None:
        """Let Redis answer nobody for a while."""
        await self.redis.call("CLIENT", "PAUSE", int(seconds * 1000), "ALL")


def stamp(moment: datetime) -> str:
    """Return a CAP time."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def rehearsal(key: Key) -> Key:
    """Return the same agency's test key."""
    return Key(
        key_id="bbbbbbbb",
        name=key.name,
        role=key.role,
        senders=key.senders,
        mode=Mode.TEST,
        created=key.created,
        updated=key.updated,
    )


@asynccontextmanager
async def api_node(
    redis: Connection, folder: Path, *, clock: FakeClock | None = None, **sections: object
) -> AsyncIterator[NodeSide]:
    """Build a node whose Redis is known to be there; a second one on the same folder is the node after a restart."""
    clock = clock or FakeClock(datetime.now(UTC).replace(microsecond=0))
    folder.mkdir(exist_ok=True)
    settings = Settings.model_validate({"data_dir": str(folder), **sections})
    node = await ApiNode.build(settings, redis, folder, clock=clock)
    await node.load()
    side = NodeSide(node, redis, clock, folder)
    try:
        yield side
    finally:
        await node.journal.close()
