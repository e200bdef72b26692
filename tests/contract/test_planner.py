"""The planner over real servers: one plan for one alert, and a cancel for exactly those who may have been told."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import permutations

import numpy as np
import pytest

from relay.adapter import Class, Kind
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.errors import StoreUnavailable
from relay.fanout.bell import Bells
from relay.fanout.ids import leg_id
from relay.fanout.plan import Pairs
from relay.fanout.planner import Audience, Planner
from relay.settings import Settings
from relay.store.alerts import PLAN_LANE
from relay.store.chunks import Chunk
from relay.testing.clocks import FakeClock
from relay.tracking.states import Flag, Record, State
from tests.contract.engine_side import Engine, an_alert, wall_ms

SENT = Record(state=State.DELIVERED, send=1, ended=1)
SENDING = Record(state=State.SENDING, send=1)
DOUBT = Record(state=State.RETRYING, send=1, flags=Flag.IN_DOUBT, due=9_000_000)


class Crowd:
    """A matcher: whoever is in it matches every alert."""

    def __init__(self) -> None:
        self.ordinals: Sequence[int] = range(6)
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.error: Exception | None = None
        self.drills: list[bool] = []

    async def match(self, alert: Alert, *, drill: bool) -> Audience:
        self.drills.append(drill)
        if self.error is not None:
            raise self.error
        found = pairs(self.ordinals)
        if self.meanwhile is not None:
            hook, self.meanwhile = self.meanwhile, None
            await hook()
        return Audience(len(found), {Kind.SMS: found})


def pairs(ordinals: Sequence[int]) -> Pairs:
    count = len(ordinals)
    return Pairs(np.array(ordinals, np.uint32), np.zeros(count, np.uint8), np.zeros(count, np.uint16))


class World:
    """A planner, its engine, and alerts that refer to each other."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.crowd = Crowd()
        self.bells = Bells(engine.redis, engine.keys, [*Kind, PLAN_LANE])
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
        **fields: str,
    ) -> None:
        """Accept an alert; ``of`` names the one it refers to."""
        raw = self.xml(alert_id, msg_type=msg_type, infos=infos)
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

    def xml(self, alert_id: str, *, msg_type: str, infos: str) -> bytes:
        ends = datetime.fromtimestamp(wall_ms() / 1000 + 3600, UTC).isoformat(timespec="seconds")
        sent = datetime.fromtimestamp(wall_ms() / 1000, UTC).isoformat(timespec="seconds")
        info = (
            f"<info>{infos}<category>Met</category><event>Flood</event><urgency>Expected</urgency>"
            f"<severity>Severe</severity><certainty>Likely</certainty><expires>{ends}</expires>"
            "<headline>Flood</headline><area><areaDesc>Here</areaDesc><circle>43,77 9</circle></area></info>"
        )
        return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{alert_id}</identifier>
<sender>duty@meteo.example</sender><sent>{sent}</sent><status>Actual</status><msgType>{msg_type}</msgType>
<scope>Public</scope>{info if infos else ""}</alert>""".encode()

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


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


async def test_alert_is_planned(world: World) -> None:
    """Everybody who matches is behind one leg, the job is done, and the lane is woken."""
    await world.accept("a")
    await world.engine.alerts.take_plan(lease_ms=1000)
    state = await world.planner.plan("a")

    assert state == "active"
    assert await world.told("a") == [0, 1, 2, 3, 4, 5]
    assert await world.waiting() == []
    assert world.bells._events[Kind.SMS].is_set()
    assert world.crowd.drills == [False]


async def test_nobody_matches(world: World) -> None:
    """The alert is completed and says why."""
    world.crowd.ordinals = ()
    await world.accept("a")

    assert await world.planner.plan("a") == "completed"
    stored = await world.engine.alerts.get("a")
    assert stored is not None
    assert stored["reason"] == "no_recipients"


async def test_drill_asks_for_those_who_drill(world: World) -> None:
    """An exercise reaches only people who chose drills."""
    await world.accept("a", klass=Class.PX)
    await world.planner.plan("a")

    assert world.crowd.drills == [True]


async def test_slow_planner_does_not_change_a_leg_that_is_being_sent(world: World) -> None:
    """Its lease ran out, another planned with a changed directory, and then it wrote its own people over theirs."""
    await world.accept("a")

    async def other() -> None:
        world.crowd.ordinals = [1, 2, 3, 4, 5, 6]
        await world.another().plan("a")

    world.crowd.meanwhile = other
    await world.planner.plan("a")

    assert await world.told("a") == [1, 2, 3, 4, 5, 6]


async def test_planned_alert_is_not_matched_again(world: World) -> None:
    """A job whose lease ran out after it was published is dropped at a glance."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.planner.plan("a")

    assert len(world.crowd.drills) == 1


async def test_alert_cancelled_while_it_is_planned_is_not_sent(world: World) -> None:
    """The cancel came between the match and the publication."""
    await world.accept("a")

    async def cancel() -> None:
        await world.accept("c", of="a", msg_type="Cancel", infos="")
        await world.another().plan("c")

    world.crowd.meanwhile = cancel

    assert await world.planner.plan("a") == "cancelled"
    assert await world.told("a") == []


async def test_segments_lost_before_publication_are_planned_again(world: World) -> None:
    """Redis was emptied and filled again in between: the leg was published with nobody behind it, for ever."""
    await world.accept("a")

    async def lose() -> None:
        keys = await world.engine.redis.call("KEYS", "*:s:*")
        await world.engine.redis.call("DEL", *keys)

    publish = world.engine.legs.publish

    async def late(*args: object, **values: object) -> str:
        await lose()
        return await publish(*args, **values)  # type: ignore[arg-type]

    world.engine.legs.publish = late  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await world.planner.plan("a")
    world.engine.legs.publish = publish  # type: ignore[method-assign]

    assert await world.state("a") == "accepted"
    assert await world.planner.plan("a") == "active"


async def test_damaged_alert_is_held(world: World) -> None:
    """Bytes that are not those that were accepted are shown to a person."""
    await world.accept("a", sha256="0" * 64)

    assert await world.planner.plan("a") == "held"


@pytest.mark.parametrize(
    ("error", "state", "again"),
    [(StoreUnavailable("away"), "accepted", ["a"]), (RuntimeError("a defect"), "held", [])],
)
async def test_plan_that_fails(world: World, error: Exception, state: str, again: list[str]) -> None:
    """What cannot be planned now is planned soon; what cannot be planned at all is shown to a person."""
    world.crowd.error = error
    await world.accept("a")
    await world.planner._guarded("a")

    assert (await world.state("a"), await world.waiting()) == (state, again)


async def test_unknown_job_is_dropped(world: World) -> None:
    """An alert that is not there has no plan."""
    await world.engine.alerts.put_off_plan("ghost", until_ms=1)

    assert await world.planner.plan("ghost") == "unknown"
    assert await world.waiting() == []


async def test_update_supersedes_when_it_is_planned(world: World) -> None:
    """What still waits of the old one stops; all who match now get the new one."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.accept("u", of="a", msg_type="Update")
    before = await world.state("a")
    await world.planner.plan("u")

    assert (before, await world.state("a")) == ("active", "superseded")
    assert await world.told("u") == [0, 1, 2, 3, 4, 5]
    assert (await world.engine.known(leg_id("a", kind=Kind.SMS, round_number=0))).cursor.stopped


async def test_cancel_tells_exactly_those_who_may_have_been_told(world: World) -> None:
    """Delivered, being handed over, in doubt: told.  Never begun, or refused for good: not."""
    await world.accept("a")
    await world.planner.plan("a")
    refused = Record(state=State.FAILED, send=1, ended=1)
    await world.send({0: SENT, 1: SENDING, 2: DOUBT, 3: refused}, size=4)
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert await world.state("a") == "cancelled"
    assert await world.told("c") == [0, 1, 2]


async def test_cancel_waits_for_what_is_being_sent(world: World) -> None:
    """A leased range is looked at again until its worker has settled it: nobody is told after, or missed."""
    await world.accept("a")
    await world.planner.plan("a")
    chunk = await world.engine.claim(most=3)
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")
    before = await world.told("c")
    waiting = await world.waiting()
    await world.engine.settle(chunk, {0: SENT, 2: SENT}, alert_id="a", size=6)
    await world.planner.plan("c")
    await world.planner.plan("c")

    assert (before, waiting) == ([], ["c"])
    assert await world.told("c") == [0, 2]
    assert await world.waiting() == []


async def test_cancel_reaches_over_an_update(world: World) -> None:
    """Who was told of the first and not of the update hears of the cancel too; who was told of both, once."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.send({0: SENT, 1: SENT}, size=2)
    await world.accept("u", of="a", msg_type="Update")
    await world.planner.plan("u")
    await world.send({1: SENT, 2: SENT}, size=3)
    await world.accept("c", of="u", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert (await world.state("a"), await world.state("u")) == ("cancelled", "cancelled")
    assert await world.told("c") == [0, 1, 2]


async def test_cancel_of_a_held_update_leaves_the_original_alone(world: World) -> None:
    """An agency updates another's alert (held), then cancels its own update: that stopped the other's alert."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.send({0: SENT}, size=1)
    await world.accept("u", of="a", msg_type="Update", state="held")
    await world.accept("c", of="u", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert (await world.state("u"), await world.state("a")) == ("cancelled", "active")
    assert await world.told("c") == []


@pytest.mark.parametrize("order", list(permutations("auc")))
async def test_chain_ends_the_same_in_any_order(world: World, order: Sequence[str]) -> None:
    """An alert, its update and the cancel of that, applied again in any order after a loss: nobody is told anything."""
    words = {"a": ("", "Alert"), "u": ("a", "Update"), "c": ("u", "Cancel")}
    for alert_id in order:
        of, msg_type = words[alert_id]
        klass = Class.P0 if alert_id == "c" else Class.P1
        await world.accept(
            alert_id, of=of, msg_type=msg_type, klass=klass, infos="" if alert_id == "c" else "<language>en</language>"
        )
    while (job := await world.engine.alerts.take_plan(lease_ms=1000))[0]:
        await world.planner.plan(job[0])

    assert [await world.state(alert_id) for alert_id in "auc"] == ["cancelled", "cancelled", "completed"]
    assert await world.told("a") + await world.told("u") + await world.told("c") == []


async def test_legs_published_while_the_cancel_looks_are_stopped_too(world: World) -> None:
    """Read before its plan was published, stopped after: its legs went on to the last recipient."""
    await world.accept("a")
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    get = world.engine.alerts.get

    async def slow(alert_id: str, *, with_raw: bool = True) -> object:
        found = await get(alert_id, with_raw=with_raw)
        if alert_id == "a":
            world.engine.alerts.get = get  # type: ignore[method-assign]
            await world.another().plan("a")
        return found

    world.engine.alerts.get = slow  # type: ignore[method-assign, assignment]
    await world.planner.plan("c")

    assert await world.state("a") == "cancelled"
    assert (await world.engine.known(leg_id("a", kind=Kind.SMS, round_number=0))).cursor.stopped


async def test_cancel_waits_for_what_another_server_run_forgot(world: World) -> None:
    """After a crash of Redis the last second of records comes back from the workers: the cancel waits for it."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.engine.claim(most=1)
    await world.engine.redis.call("HSET", world.engine.keys.run, "id", "0123456789abcdef")
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")
    fenced = await world.state("a"), await world.state("c"), await world.waiting()
    await world.engine.try_claim()
    await world.planner.plan("c")

    assert fenced == ("cancelled", "accepted", ["c"])
    assert await world.state("c") == "active"


async def test_bare_cancel_is_read_in_the_words_of_the_alert(world: World) -> None:
    """A cancel without infos counts in those of what it cancels; one with its own in the nearest language."""
    await world.accept("a", infos="<language>kk</language>")
    await world.planner.plan("a")
    await world.send({0: SENT}, size=1)
    await world.accept("bare", of="a", msg_type="Cancel", infos="")
    await world.accept("worded", of="a", msg_type="Cancel")
    await world.planner.plan("bare")
    await world.planner.plan("worded")
    found = [await world.engine.alerts.get(alert_id) for alert_id in ("bare", "worded")]
    legs = [await world.engine.known(stored.legs[0]) for stored in found if stored is not None]

    assert [leg.facts["variants_of"] for leg in legs] == ["a", "worded"]


async def test_planner_takes_jobs_until_it_is_told_to_stop(world: World) -> None:
    """Jobs are planned as they come, and the end is prompt."""
    stopping = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.planner.run(stopping))
        await world.accept("a")
        while await world.state("a") != "active":
            await asyncio.sleep(0.01)
        stopping.set()

    assert await world.told("a") == [0, 1, 2, 3, 4, 5]
