"""The planner over real servers: one plan for one alert, whatever happens while it is made."""

from __future__ import annotations

import asyncio

import pytest

from relay.adapter import Class, Kind
from relay.errors import StoreUnavailable
from relay.fanout.planner import HANDS, SPOILED
from relay.store.plan_jobs import PLAN_LANE
from tests.contract.engine_side import Engine
from tests.contract.planner_side import World


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


async def test_alert_is_planned(world: World) -> None:
    """Everybody who matches is behind one leg, the job is done, and the lane is woken."""
    await world.accept("a")
    await world.engine.alerts.take_plans(lease_ms=1000)
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


@pytest.mark.parametrize("error", [StoreUnavailable("away"), ZeroDivisionError()])
async def test_server_that_goes_away_does_not_end_the_planner(world: World, error: Exception) -> None:
    """Neither the plan nor the word that it is put off reached Redis: the job's lease brings it back."""

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    await world.accept("a")
    world.crowd.error = error
    world.engine.alerts.put_off_plan = away  # type: ignore[method-assign]
    world.engine.alerts.hold = away  # type: ignore[method-assign]
    await world.planner._guarded("a")

    assert await world.state("a") == "accepted"


async def test_unknown_job_is_dropped(world: World) -> None:
    """An alert that is not there has no plan."""
    await world.engine.alerts.put_off_plan("ghost", until_ms=1)

    assert await world.planner.plan("ghost") == "unknown"
    assert await world.waiting() == []


async def test_planner_takes_jobs_until_it_is_told_to_stop(world: World) -> None:
    """Jobs are planned as they come, and the end is prompt."""
    stopping = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.bells.run(stopping))
        tasks.create_task(world.planner.run(stopping))
        await world.accept("a")
        while await world.state("a") != "active":
            await asyncio.sleep(0.01)
        stopping.set()

    assert await world.told("a") == [0, 1, 2, 3, 4, 5]


async def test_large_plans_do_not_block_the_worst_news(world: World) -> None:
    """All hands are full of low plans that take their time; a flash is planned all the same, and another low one waits."""
    world.crowd.gate = asyncio.Event()
    stopping = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.bells.run(stopping))
        tasks.create_task(world.planner.run(stopping))
        for number in range(HANDS):
            await world.accept(f"slow-{number}", klass=Class.P4)
            while len(await world.waiting()) <= number:  # each has a hand of its own, for nobody came with it
                await asyncio.sleep(0.01)
        await world.accept("low", klass=Class.P4)
        await world.accept("flash", klass=Class.P0)
        while await world.state("flash") != "active":
            await asyncio.sleep(0.01)
        low = await world.state("low")
        world.crowd.gate.set()
        while await world.state("low") != "active":
            await asyncio.sleep(0.01)
        stopping.set()

    assert low == "accepted"


async def test_planner_ahead_of_its_lanes_plans_the_worst_news_only(world: World) -> None:
    """Enough is planned that nobody has sent yet: low alerts wait for the lanes, a flash does not."""
    ahead, stopping = True, asyncio.Event()
    world.planner.small.is_ahead = lambda _now: ahead
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.planner.run(stopping))
        await world.accept("low", klass=Class.P4)
        await world.accept("flash", klass=Class.P0)
        while await world.state("flash") != "active":
            await asyncio.sleep(0.01)
        low = await world.state("low")
        ahead = False
        while await world.state("low") != "active":
            world.engine.alerts.plans_in(world.engine.alerts.partition("low"))
            await asyncio.sleep(0.01)
        stopping.set()
        world.bells.ring(PLAN_LANE)

    assert low == "accepted"


@pytest.mark.parametrize(("takes", "state", "reason"), [(SPOILED - 1, "active", ""), (SPOILED, "held", "plan_failed")])
async def test_what_planners_die_of_is_held_in_the_end(world: World, takes: int, state: str, reason: str) -> None:
    """Whoever was only in hand when planners died is planned, by itself; a plan that nobody survives wants a person."""
    await world.accept("a")
    for _ in range(takes):
        await world.engine.alerts.take_plans(lease_ms=60_000)
        score = float(await world.engine.redis.call("ZSCORE", world.engine.keys.plan_leases, "a"))
        await world.engine.redis.call("ZADD", world.engine.keys.plan_leases, score - 3_600_000, "a")
        world.engine.alerts.plans_in(world.engine.alerts.partition("a"))
    stopping = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.planner.run(stopping))
        while await world.state("a") == "accepted":
            await asyncio.sleep(0.01)
        stopping.set()
        world.bells.ring(PLAN_LANE)
    stored = await world.engine.alerts.get("a")

    assert stored is not None
    assert (stored["state"], stored["reason"]) == (state, reason)


async def test_plan_that_outlives_its_lease_is_made_once(world: World) -> None:
    """The job of an alert that is being planned here comes round again: that renews its lease, however often."""
    world.crowd.gate = asyncio.Event()
    stopping = asyncio.Event()
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(world.bells.run(stopping))
        tasks.create_task(world.planner.run(stopping))
        await world.accept("slow")
        while not await world.waiting():
            await asyncio.sleep(0.01)
        for _ in range(5):
            await ran_out(world, "slow")
        world.crowd.gate.set()
        while await world.state("slow") != "active":
            await asyncio.sleep(0.01)
        stopping.set()

    assert len(world.crowd.drills) == 1


async def ran_out(world: World, alert_id: str) -> None:
    """Let the lease of a job run out, and wait until it was taken again."""
    engine = world.engine
    by = float(await engine.redis.call("ZSCORE", engine.keys.plan_leases, alert_id))
    await engine.redis.call("ZADD", engine.keys.plan_leases, by - 3_600_000, alert_id)
    engine.alerts.plans_in(engine.alerts.partition(alert_id))
    world.bells.ring(PLAN_LANE)
    while float(await engine.redis.call("ZSCORE", engine.keys.plan_leases, alert_id) or 0) < by - 1_800_000:
        assert await world.state(alert_id) == "accepted"
        await asyncio.sleep(0.01)
