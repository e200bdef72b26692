"""Room in Redis, measured on real servers that are really full."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.fanout.admission import Admission
from relay.store.connection import Connection
from relay.store.room import WAITS_FOR_MEMORY, Room, Space
from relay.testing.clocks import FakeClock
from relay.tracking.states import Record, State
from tests.contract.archive_side import ArchiveSide
from tests.contract.engine_side import Engine, an_alert, new_leg, wall_ms
from tests.contract.node_side import api_node

MB = 1024 * 1024


@pytest.fixture
async def full(redis: Connection) -> AsyncIterator[Connection]:
    """A server without a byte to spare, once the test says so."""
    yield redis
    await redis.call("CONFIG", "SET", "maxmemory", 0)


async def fill(redis: Connection) -> None:
    """Leave no byte."""
    await redis.call("CONFIG", "SET", "maxmemory", 1)


async def test_limit_is_the_servers_the_settings_or_half_the_machine(full: Connection, engine: Engine) -> None:
    """The operator's limit counts first, then the server's own, then half of the machine's memory."""
    await full.call("CONFIG", "SET", "maxmemory", 100 * MB)
    own = await Room(full, limit_mb=0, reserve=0.2, clock=FakeClock()).look(engine.keys)
    set_ = await Room(full, limit_mb=50, reserve=0.2, clock=FakeClock()).look(engine.keys)
    await full.call("CONFIG", "SET", "maxmemory", 0)
    none = await Room(full, limit_mb=0, reserve=0.2, clock=FakeClock()).look(engine.keys)

    assert (own.limit, set_.limit) == (100 * MB, 50 * MB)
    assert none.limit > 100 * MB
    assert own.used > 100_000


async def test_look_is_believed_for_a_second(full: Connection, engine: Engine) -> None:
    """Many plans ask the server once."""
    clock = FakeClock()
    room = Room(full, limit_mb=0, reserve=0.2, clock=clock)
    first = await room.look(engine.keys)
    await full.call("SET", "more", b"x" * MB)
    same = await room.look(engine.keys)
    clock.advance(1)
    later = await room.look(engine.keys)

    assert same is first
    assert later.used > first.used + MB


async def test_plan_waits_for_room_and_goes_on(full: Connection, engine: Engine) -> None:
    """A low alert without room says why it waits and is looked at again; with room it says so no more."""
    clock = FakeClock()
    room = Room(full, limit_mb=1, reserve=0.2, clock=clock)
    admission = Admission(room, engine.alerts, engine.legs, clock=clock)
    await engine.alerts.accept(an_alert(klass=Class.P3))
    await engine.redis.call("ZREM", engine.keys.plan, "alert")
    stored = await engine.alerts.get("alert")
    assert stored is not None
    refused = await admission.admits(stored)
    parked = await engine.alerts.get("alert")
    job = await engine.redis.call("ZSCORE", engine.keys.plan_leases, "alert")
    assert parked is not None
    roomy = Admission(Room(full, limit_mb=1000, reserve=0.2, clock=clock), engine.alerts, engine.legs, clock=clock)
    admitted = await roomy.admits(parked)
    after = await engine.alerts.get("alert")

    assert (refused, admitted) == (False, True)
    assert (parked["state"], parked["reason"]) == ("accepted", WAITS_FOR_MEMORY)
    assert 1 <= float(job) / 1000 - clock.time() <= 7
    assert after is not None
    assert after["reason"] == ""


@pytest.mark.parametrize(("klass", "goes"), [("P0", True), ("P1", True), ("P2", False), ("P4", False), ("PX", False)])
def test_reserve_is_for_urgent_news(klass: str, goes: bool) -> None:
    """When four fifths are used, only P0 and P1 get more."""
    space = Space(used=79, limit=100, reserve=0.2)

    assert space.admits(2, klass=Class(klass)) is goes
    assert space.admits(1, klass=Class(klass))


async def test_what_was_promised_counts(full: Connection, engine: Engine) -> None:
    """Deliveries that nobody has claimed yet have no records; their room is taken all the same."""
    clock = FakeClock()
    used = (await Room(full, limit_mb=0, reserve=0, clock=clock).look(engine.keys)).used
    limit = (used + 2 * MB) / MB
    await engine.alert("big", [new_leg([4000] * 30, alert_id="big")])
    await engine.alerts.accept(an_alert("low", klass=Class.P4))
    stored = await engine.alerts.get("low")
    assert stored is not None
    tight = Admission(Room(full, limit_mb=limit, reserve=0.0, clock=clock), engine.alerts, engine.legs, clock=clock)

    assert not await tight.admits(stored)


async def test_full_server_is_away_for_what_is_new(full: Connection, engine: Engine) -> None:
    """A full server is one that cannot be used now, never an error of ours: the journal holds what it could not take."""
    await fill(full)
    with pytest.raises(StoreUnavailable):
        await engine.alerts.accept(an_alert())
    await full.call("CONFIG", "SET", "maxmemory", 0)
    later = await engine.alerts.accept(an_alert())

    assert later.verdict == "new"


async def test_full_server_ends_what_was_begun(full: Connection, engine: Engine) -> None:
    """What is being sent is settled, renewed and claimed on a full server: its end makes room."""
    leg = await engine.leg([600])
    first = await engine.claim()
    await fill(full)
    second = await engine.claim()
    kept = await engine.chunks.renew([first], lease_ms=10_000, flash_ms=5_000)
    for chunk in (first, second):
        sent = {p: Record(state=State.DELIVERED, send=1) for p in range(chunk.first, chunk.last)}
        await engine.settle(chunk, sent, size=600)

    assert kept == [0]
    assert await engine.counts(leg) == {State.DELIVERED: 600}
    assert await engine.state() == "completed"


async def test_archiving_makes_room_on_a_full_server(full: Connection, engine: Engine, tmp_path: Path) -> None:
    """Finished alerts leave a full server."""
    side = ArchiveSide(engine, tmp_path / "archive")
    await side.people(3)
    leg = await side.finished(expires_ms=wall_ms() + 3_600_000)
    await fill(full)
    went = await side.archivist.once()

    assert went == 1
    assert await engine.legs.get(leg) is None


async def test_accepting_goes_on_when_redis_is_full(redis: Connection, tmp_path: Path) -> None:
    """A low post is taken into the journal and waits; an urgent one has room, and in the end the low one too."""
    folder = tmp_path / "node"
    async with api_node(redis, folder, memory={"limit_mb": 0.001}) as node:
        await node.catch_up()
        low = await node.post(node.xml("low", severity="Minor"))
        urgent = await node.post(node.xml("urgent", severity="Extreme"))
        waits = node.services.state.pending
        figures = await node.services.keeping.figures() if node.services.keeping is not None else {}
    async with api_node(redis, folder) as node:
        await node.catch_up()
        later = await node.state(low.alert_id)

    assert (low.redis, urgent.redis, waits) == ("pending", "applied", 1)
    assert (low.klass, urgent.klass) == ("P4", "P1")
    assert figures["memory"]["used"] > figures["memory"]["limit"]
    assert later == "accepted"
