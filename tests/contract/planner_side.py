"""A planner over a real server, a crowd that matches, and alerts that refer to each other."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import numpy as np

from relay.adapter import Class, Kind
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.fanout.bell import Bells
from relay.fanout.matcher import Audience
from relay.fanout.plan import Pairs
from relay.fanout.planner import Planner
from relay.settings import Settings
from relay.store.chunk import Chunk
from relay.store.plan_jobs import PLAN_LANE
from relay.testing.clocks import FakeClock
from relay.tracking.states import Record
from tests.contract.engine_side import Engine, an_alert, wall_ms


class Crowd:
    """A matcher: whoever is in it matches every alert."""

    def __init__(self) -> None:
        self.ordinals: Sequence[int] = range(6)
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.error: Exception | None = None
        self.drills: list[bool] = []
        self.infos: Sequence[int] = ()
        self.gate: asyncio.Event | None = None

    async def match(self, alert: Alert, *, drill: bool) -> Audience:
        self.drills.append(drill)
        if self.error is not None:
            raise self.error
        if self.gate is not None and "slow" in alert.identifier:
            await self.gate.wait()
        found = pairs(self.ordinals)
        if self.infos:
            found = Pairs(found.ordinals, found.slots, np.array(self.infos, np.uint16))
        if self.meanwhile is not None:
            hook, self.meanwhile = self.meanwhile, None
            await hook()
        return Audience(len(found), {Kind.SMS: found})

    async def match_many(self, alerts: Sequence[tuple[Alert, bool]]) -> Sequence[Audience]:
        return [await self.match(alert, drill=drill) for alert, drill in alerts]


def pairs(ordinals: Sequence[int]) -> Pairs:
    count = len(ordinals)
    return Pairs(np.array(ordinals, np.uint32), np.zeros(count, np.uint8), np.zeros(count, np.uint16))


class World:
    """A planner, its engine, and alerts that refer to each other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.crowd = Crowd()
        self.bells = Bells(engine.redis, engine.keys, [*Kind, PLAN_LANE], look=1.0)
        self.bells.on_place = lambda _lane, place: engine.alerts.plans_in(place)
        self.clock = FakeClock(datetime.now(UTC))
        self.planner = self.another()

    def another(self) -> Planner:
        """Return a planner of another worker."""
        return Planner(
            self.engine.alerts,
            self.engine.legs,
            self.crowd,
            self.bells,
            settings=Settings(),
            limits=Limits(),
            clock=self.clock,
        )

    async def accept(
        self,
        alert_id: str,
        *,
        of: str = "",
        msg_type: str = "Alert",
        state: str = "accepted",
        klass: Class = Class.P1,
        infos: str = "<language>en</language>",
        info_count: int = 1,
        **fields: str,
    ) -> None:
        """Accept an alert; ``of`` names the one it refers to."""
        raw = self.xml(alert_id, msg_type=msg_type, infos=infos, count=info_count)
        facts = {"sha256": hashlib.sha256(raw).hexdigest(), "media": "xml", "referenced": f"k1-{of}" if of else ""}
        await self.engine.alerts.accept(
            an_alert(
                alert_id,
                msg_type=msg_type,
                state=state,
                klass=klass,
                raw=raw,
                referenced=(f"k1-{of}",) if of else (),
                fields={name: value for name, value in {**facts, **fields}.items() if value},
            )
        )

    def xml(self, alert_id: str, *, msg_type: str, infos: str, count: int = 1) -> bytes:
        ends = datetime.fromtimestamp(wall_ms() / 1000 + 3600, UTC).isoformat(timespec="seconds")
        sent = datetime.fromtimestamp(wall_ms() / 1000, UTC).isoformat(timespec="seconds")
        info = (
            f"<info>{infos}<category>Met</category><event>Flood</event><urgency>Expected</urgency>"
            f"<severity>Severe</severity><certainty>Likely</certainty><expires>{ends}</expires>"
            "<headline>Flood</headline><area><areaDesc>Here</areaDesc><circle>43,77 9</circle></area></info>"
        )
        return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{alert_id}</identifier>
<sender>duty@meteo.example</sender><sent>{sent}</sent><status>Actual</status><msgType>{msg_type}</msgType>
<scope>Public</scope>{info * count if infos else ""}</alert>""".encode()

    async def send(self, outcomes: dict[int, Record], *, size: int = 6) -> Chunk:
        """Claim the next chunk and settle it for good."""
        chunk = await self.engine.claim(most=size)
        leg = await self.engine.known(chunk.leg_id)
        await self.engine.settle(chunk, outcomes, alert_id=leg.facts["alert"], size=leg.cursor.sizes[chunk.segment])
        return chunk

    async def state(self, alert_id: str) -> str:
        return await self.engine.state(alert_id)

    async def told(self, alert_id: str) -> list[int]:
        """Return who is behind the legs of an alert, a person for each round."""
        stored = await self.engine.alerts.get(alert_id)
        assert stored is not None
        found: list[int] = []
        for leg in stored.legs:
            for number in range(len((await self.engine.known(leg)).cursor.sizes)):
                segment = await self.engine.legs.segment(leg, number)
                assert segment is not None
                found += segment.ordinals.tolist()
        return sorted(found)

    async def waiting(self) -> list[str]:
        """Return the plan jobs that somebody will look at again."""
        return [i.decode() for i in await self.engine.redis.call("ZRANGE", self.engine.keys.plan_leases, 0, -1)]
