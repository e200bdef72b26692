"""Plan jobs are leased, and a plan is published once."""

import pytest

from relay.adapter import Class
from relay.store.chunk import Chunk
from relay.store.legs import Publication
from relay.store.plan_jobs import Taken
from relay.tracking.states import Record, State
from tests.contract.engine_side import LANE, Engine, a_segment, an_alert, new_leg, wall_ms

SENT = Record(state=State.DELIVERED, send=1, ended=1)


async def test_worst_news_is_taken_first_and_once(engine: Engine) -> None:
    """Two planners never get the same job while its lease lives."""
    for alert_id, klass in [("low", Class.P4), ("flash", Class.P0), ("normal", Class.P3)]:
        await engine.alerts.accept(an_alert(alert_id, klass=klass))
    found = [await engine.alerts.take_plans(lease_ms=400) for _ in range(4)]

    assert [taken.alert_ids for taken in found] == [["flash"], ["normal"], ["low"], []]
    assert 0 < found[3].wait <= 400


async def test_idle_planner_waits_for_a_bell(engine: Engine) -> None:
    """Nothing to plan, nothing leased: nobody asks again for five minutes, unless a bell rings."""
    assert await engine.alerts.take_plans(lease_ms=400) == Taken([], 300_000)


async def test_plan_of_a_dead_planner_is_taken_again(engine: Engine) -> None:
    """A job whose lease ran out goes to the next planner, before younger ones."""
    await engine.alerts.accept(an_alert("old"))
    await engine.alerts.take_plans(lease_ms=60_000)
    await engine.alerts.accept(an_alert("new"))
    await engine.redis.call("ZADD", engine.keys.plan_leases, 1, "old")

    assert [await engine.alerts.take_plans(lease_ms=60_000) for _ in range(2)] == [
        Taken(["old"], 0),
        Taken(["new"], 0),
    ]


async def test_flash_does_not_wait_for_plans_that_are_looked_at_again(engine: Engine) -> None:
    """A crowd of cancels that wait for their last chunks are due again and again; a new P0 goes before all of them."""
    for n in range(20):
        await engine.alerts.put_off_plan(f"cancel {n}", until_ms=1)
    await engine.alerts.accept(an_alert("flash", klass=Class.P0))

    assert await engine.alerts.take_plans(lease_ms=1000) == Taken(["flash"], 0)


async def test_low_alerts_come_together_and_urgent_ones_alone(engine: Engine) -> None:
    """What can wait is planned in company, in order; P0 and P1 are planned at once and take nobody along."""
    for alert_id, klass in [
        ("low", Class.P4),
        ("p2", Class.P2),
        ("p1", Class.P1),
        ("flash", Class.P0),
        ("p3", Class.P3),
    ]:
        await engine.alerts.accept(an_alert(alert_id, klass=klass))
    found = [(await engine.alerts.take_plans(lease_ms=60_000, most=2))[0] for _ in range(5)]

    assert found == [["flash"], ["p1"], ["p2", "p3"], ["low"], []]


async def test_publishing_makes_legs_claimable(engine: Engine) -> None:
    """After publishing the leg is read back, is claimed, and its lane's bell rings."""
    made = new_leg([3, 2], klass=Class.P0)
    await engine.alerts.accept(an_alert())
    await engine.legs.write_segments(made.leg_id, [a_segment(3).pack(), a_segment(2, number=1, first=3).pack()])
    state = await engine.legs.publish("alert", Publication(legs=[made], recipients=4), now_ms=wall_ms())
    leg, alert = await engine.known(made.leg_id), await engine.alerts.get("alert")
    segment = await engine.legs.segment(made.leg_id, 1)

    assert alert is not None
    assert state == alert["state"] == "active"
    assert (alert.legs, alert.number("recipients"), alert.number("deliveries")) == ([made.leg_id], 4, 5)
    assert (leg.cursor, leg.lane, leg.facts["alert"], leg.counts) == (made.cursor, LANE, "alert", {State.QUEUED: 5})
    assert segment is not None
    assert segment.ordinals.tolist() == [3, 4]
    assert await engine.redis.call("LLEN", engine.keys.bell(LANE)) == 1
    assert (await engine.claim()).leg_id == made.leg_id


async def test_a_large_leg_wakes_many(engine: Engine) -> None:
    """One ring for each chunk of 500: one worker for a village, several for a town."""
    made = new_leg([1200])
    await engine.alerts.accept(an_alert())
    await engine.legs.write_segments(made.leg_id, [a_segment(1200).pack()])
    await engine.legs.publish("alert", Publication(legs=[made], recipients=1200), now_ms=wall_ms())

    assert await engine.redis.call("LLEN", engine.keys.bell(LANE)) == 3


async def test_publishing_twice_changes_nothing(engine: Engine) -> None:
    """A planner that lost its lease, or repeats after a lost reply, cannot set the leg back to its beginning."""
    made = new_leg([10])
    await engine.alert("alert", [made])
    chunk = await engine.claim(most=4)
    await engine.settle(chunk, {0: SENT}, size=10)
    again = await engine.legs.publish("alert", Publication(legs=[made], recipients=1), now_ms=wall_ms())
    alert = await engine.alerts.get("alert")

    assert again == "already"
    assert alert is not None
    assert (alert.number("legs_open"), alert.number("recipients"), alert.legs) == (1, 1, [made.leg_id])
    assert (await engine.claim()).first == 4
    assert await engine.counts(made.leg_id) == {State.DELIVERED: 1, State.QUEUED: 9}


async def test_published_job_is_over(engine: Engine) -> None:
    """A published plan is not taken again when its lease would have run out."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.take_plans(lease_ms=1)
    await engine.legs.publish("alert", Publication(legs=[new_leg([1])], recipients=1), now_ms=wall_ms())

    assert await engine.redis.call("ZCARD", engine.keys.plan_leases) == 0


@pytest.mark.parametrize("state", ["cancelled", "superseded"])
async def test_alert_stopped_while_it_was_planned(engine: Engine, state: str) -> None:
    """A cancel that overtakes the plan wins: nothing is published."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.take_plans(lease_ms=1000)
    alert = await engine.alerts.get("alert")
    assert alert is not None
    await engine.alerts.stop(alert, state=state, cause="later")
    published = await engine.legs.publish("alert", Publication(legs=[new_leg([5])], recipients=5), now_ms=wall_ms())

    assert published == await engine.state() == state
    assert not isinstance((await engine.try_claim()).found, Chunk)


async def test_nobody_matches(engine: Engine) -> None:
    """An alert for nobody is complete at once and says why."""
    await engine.alerts.accept(an_alert())
    plan = Publication(legs=[], recipients=0, reason="no_recipients")
    state = await engine.legs.publish("alert", plan, now_ms=wall_ms())
    alert = await engine.alerts.get("alert")

    assert alert is not None
    assert (state, alert["state"], alert["reason"]) == ("completed", "completed", "no_recipients")


async def test_vanished_alert_is_not_published(engine: Engine) -> None:
    """A plan made before FLUSHALL is dropped: the journal brings the alert back, and it is planned again."""
    plan = Publication(legs=[new_leg([5])], recipients=5)

    assert await engine.legs.publish("alert", plan, now_ms=wall_ms()) == "unknown"
    assert await engine.redis.call("DBSIZE") == 0


async def test_later_pass_adds_legs(engine: Engine) -> None:
    """A cancel's second pass adds those whose chunk was still being sent; the sums grow, the first legs stay."""
    first, second = new_leg([2]), new_leg([3], round_number=1)
    await engine.alert("alert", [first], waits="leased", recipients=2)
    again = await engine.alert("alert", [second], number=1, recipients=3)
    repeated = await engine.alert("alert", [second], number=1, recipients=3)
    alert = await engine.alerts.get("alert")

    assert alert is not None
    assert (again, repeated) == ("active", "already")
    assert alert.legs == [first.leg_id, second.leg_id]
    assert (alert.number("recipients"), alert.number("deliveries"), alert.number("legs_open")) == (5, 5, 2)


async def test_hold_waits_for_a_person(engine: Engine) -> None:
    """A plan that finds too many people turns the alert into a held one, which is no job any more."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.take_plans(lease_ms=1)
    await engine.alerts.hold("alert", reason="too_many")
    alert = await engine.alerts.get("alert")

    assert alert is not None
    assert (alert["state"], alert["reason"]) == ("held", "too_many")
    assert (await engine.alerts.take_plans(lease_ms=1))[0] == []


async def test_hold_does_not_undo_a_cancel(engine: Engine) -> None:
    """A cancel came while the plan was made: holding then would let an approval send what was cancelled."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.take_plans(lease_ms=1)
    alert = await engine.alerts.get("alert")
    assert alert is not None
    await engine.alerts.stop(alert, state="cancelled", cause="later")
    await engine.alerts.hold("alert", reason="too_many")

    assert await engine.state() == "cancelled"
    assert (await engine.alerts.take_plans(lease_ms=1))[0] == []


async def test_channels_keep_their_numbers(engine: Engine) -> None:
    """A channel's number stands in records: it is given once, and each has its own."""
    names = ["sms-primary", "sms-second", "mail", "sms-primary"]
    found = [await engine.redis.run("channel_index", [engine.keys.channels], [name]) for name in names]

    assert found == [1, 2, 3, 1]


async def lease_ran_out(engine: Engine, alert_id: str) -> None:
    """Let the one who took a job be gone for long."""
    by = await engine.redis.call("ZSCORE", engine.keys.plan_leases, alert_id)
    await engine.redis.call("ZADD", engine.keys.plan_leases, float(by) - 3_600_000, alert_id)


async def test_takes_are_counted(engine: Engine) -> None:
    """Whoever takes a job hears how many took it before and were never heard of again."""
    await engine.alerts.accept(an_alert("poison"))
    takes = []
    for _ in range(9):
        taken = await engine.alerts.take_plans(lease_ms=60_000)
        takes.append(taken.takes)
        await lease_ran_out(engine, "poison")

    assert takes == [0, 1, 2, 3, 4, 5, 6, 7, 7]


async def test_who_puts_a_job_off_lives(engine: Engine) -> None:
    """A cancel that waits for its last chunks, or a plan for memory, is looked at as often as it takes."""
    await engine.alerts.accept(an_alert("slow"))
    found = []
    for _ in range(10):
        found.append((await engine.alerts.take_plans(lease_ms=60_000)).takes)
        await engine.alerts.put_off_plan("slow", until_ms=1)

    assert found == [0] * 10
