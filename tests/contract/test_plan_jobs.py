"""Plan jobs over several partitions: the most urgent first, wherever it is."""

from relay.adapter import Class
from relay.store.connection import Connection
from relay.store.partitions import Partitions
from relay.store.plan_jobs import PlanJobs, plan_score
from tests.contract.engine_side import wall_ms


async def take(jobs: PlanJobs, *, looks: int = 20) -> str:
    """Return the next job, looking as often as a planner would."""
    for _ in range(looks):
        taken = await jobs.take_plans(lease_ms=10_000)
        if taken.alert_ids:
            return taken.alert_ids[0]
    return ""


async def test_most_urgent_job_first_once_all_are_known(redis: Connection) -> None:
    """After one look at each, P0 goes before P1 and that before P4, whatever partition they are in."""
    keys = Partitions(3)
    jobs = PlanJobs(redis, keys)
    now = wall_ms()
    for place, klass in ((0, Class.P4), (1, Class.P1), (2, Class.P4)):
        await redis.call("ZADD", keys.all[place].plan, plan_score(klass, now), f"{klass}-{place}")
        await redis.call("ZADD", keys.all[place].plan, plan_score(klass, now + 1), f"{klass}-{place}-second")
    first = [await take(jobs) for _ in range(3)]
    await redis.call("ZADD", keys.all[0].plan, plan_score(Class.P0, now), "flash")
    jobs.plans_in(0)
    then = [await take(jobs) for _ in range(4)]

    assert set(first) == {"P4-0", "P1-1", "P4-2"}
    assert then == ["flash", "P1-1-second", "P4-2-second", "P4-0-second"]
    assert await take(jobs) == ""


async def test_job_that_was_put_off_is_looked_at_in_time(redis: Connection) -> None:
    """Its partition is asked again when it is due, not when a bell rings."""
    keys = Partitions(2)
    jobs = PlanJobs(redis, keys)
    await redis.call("ZADD", keys.all[1].plan, plan_score(Class.P1, wall_ms()), "a")
    taken = await take(jobs)
    await jobs.put_off_plan("a", until_ms=wall_ms() - 1)

    assert taken == "a"
    assert await take(jobs) == "a"
