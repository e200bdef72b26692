"""Cancels after a failover: whoever was told through the old server hears of it, and the account of it is whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from relay.adapter import Class, Kind
from relay.errors import StoreUnavailable
from relay.fanout.ids import leg_id
from relay.fanout.replay import Replay
from relay.fanout.segment import Segment
from relay.store.settlement import Settlement
from relay.testing.clocks import FakeClock
from relay.tracking.states import Record, State
from tests.contract.engine_side import LANE, Engine
from tests.contract.planner_side import World

SENT = Record(state=State.DELIVERED, send=1, ended=1)


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


async def change_server(world: World) -> None:
    """Let another server answer, which a claim has seen."""
    await world.engine.redis.call("HSET", world.engine.keys.run, "id", "0123456789abcdef")
    await world.engine.try_claim(lane="webhook")


def settled(alert_id: str, records: dict[int, Record]) -> tuple[Settlement, Segment]:
    """Return a settle of the first round of an alert, as the worker that made it remembers it."""
    people = Segment(np.arange(6, dtype=np.uint32), np.zeros(6, np.uint8), np.zeros(6, np.uint16), 0)
    of = leg_id(alert_id, kind=Kind.SMS, round_number=0)
    base = Settlement(leg_id=of, alert_id=alert_id, lane=LANE, klass=Class.P1, segment=0, size=6, records=records)
    return base, people


async def test_cancel_waits_for_what_its_own_worker_repeats(world: World) -> None:
    """A worker alone is not fenced: its planner looked before it had told Redis again who was told."""
    replay = Replay(world.engine.chunks, world.engine.legs, clock=FakeClock())
    world.planner.recall.owes = replay.owes
    await world.accept("a")
    await world.planner.plan("a")
    replay.remember(*settled("a", {0: SENT, 4: SENT}))
    await change_server(world)
    replay.forgotten()
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    with pytest.raises(StoreUnavailable):
        await world.planner.plan("c")
    before = await world.told("c")
    await replay.repeat_all()
    await world.planner.plan("c")

    assert before == []
    assert await world.told("c") == [0, 4]


async def test_rounds_that_were_lost_are_told_again(world: World) -> None:
    """The first round of a Cancel was sent through the old server: the new one has these people in its account."""
    replay = Replay(world.engine.chunks, world.engine.legs, clock=FakeClock())
    world.planner.recall.owes = replay.owes
    await world.accept("a")
    await world.planner.plan("a")
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    replay.remember(*settled("a", {0: SENT, 4: SENT}))
    replay.remember(*settled("c", {0: SENT, 4: SENT}))
    await change_server(world)
    replay.forgotten()
    await replay.repeat_all()
    await world.planner.plan("c")
    await replay.repeat_all()

    assert await world.told("c") == [0, 4]
    assert await world.engine.counts(leg_id("c", kind=Kind.SMS, round_number=0)) == {State.DELIVERED: 2}


async def test_alert_that_the_new_server_never_planned(world: World) -> None:
    """It was planned and sent through the old one: all whom it was for hear that it is over."""
    await world.accept("a")
    await change_server(world)
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert await world.state("a") == "cancelled"
    assert await world.told("c") == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("held", [True, False])
async def test_alert_that_nobody_was_told_of(world: World, held: bool) -> None:
    """What was held was not sent; without a change of the server what was not planned was not sent either."""
    await world.accept("a", state="held" if held else "accepted", reason="no_area" if held else "")
    if held:
        await change_server(world)
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert await world.told("c") == []


async def test_alert_that_comes_back_while_its_cancel_looks(world: World) -> None:
    """After a loss the Cancel is told first: its alert came between two looks, and nobody heard that it was over."""
    await world.accept("c", of="a", msg_type="Cancel", infos="", again="1")
    by_triples = world.engine.alerts.by_triples

    async def before_it_came(digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
        found = await by_triples(digests)
        world.engine.alerts.by_triples = by_triples  # type: ignore[method-assign]
        await world.accept("a", again="1")
        return found

    world.engine.alerts.by_triples = before_it_came  # type: ignore[method-assign]
    await world.planner.plan("c")
    await world.planner.plan("c")

    assert await world.told("c") == [0, 1, 2, 3, 4, 5]


async def test_cancels_without_a_target_are_forgotten(world: World) -> None:
    """Agencies cancel what this relay never had: that is not remembered for ever."""
    for number in range(3):
        await world.accept(f"c{number}", of=f"nothing {number}", msg_type="Cancel", infos="", again="1")
        await world.planner.plan(f"c{number}")
        world.clock.advance(400)
    missed = world.planner.recall.missed

    assert missed == 2


async def test_update_that_needs_a_person_ends_nothing(world: World) -> None:
    """Its plan was held; people got neither the alert that it had ended nor the update itself."""
    await world.accept("a")
    await world.accept("u", of="a", msg_type="Update")
    await world.planner.plan("a")
    ended = await world.state("a")
    world.crowd.error = RuntimeError("a defect")
    await world.planner._guarded("u")
    world.crowd.error = None
    given_back = (await world.state("u"), await world.state("a"))
    jobs = (await world.engine.alerts.take_plans(lease_ms=1000)).alert_ids
    await world.planner.plan("a")

    assert ended == "superseded"
    assert given_back == ("held", "accepted")
    assert jobs == ["a"]
    assert await world.told("a") == [0, 1, 2, 3, 4, 5]


async def test_what_was_held_itself_is_not_given_back(world: World) -> None:
    """Nobody had approved it: that its update is held as well is no approval."""
    await world.accept("a", state="held", reason="no_area")
    await world.accept("u", of="a", msg_type="Update")
    stored = await world.engine.alerts.get("a")
    assert stored is not None
    await world.engine.alerts.stop(stored, state="superseded", cause="u")
    await world.engine.alerts.hold("u", reason="plan_failed")
    await world.planner.recall.give_back("u")

    assert await world.state("a") == "superseded"
