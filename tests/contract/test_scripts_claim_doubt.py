"""Claiming after a change of the server: what may have been sent, and forgotten, goes out with its label."""

from dataclasses import replace

import pytest

from relay.adapter import Class
from relay.store.cursor import AGAIN, STOPPED
from relay.store.legs import Publication
from relay.tracking.states import Record, State
from tests.contract.engine_side import LANE, Engine, an_alert, new_leg, wall_ms

RETRYING = Record(state=State.RETRYING, send=1, due=1)


async def begun(engine: Engine, alert_id: str, *, seconds_ago: float) -> None:
    """Publish a leg of ten that began some seconds ago."""
    made = new_leg([10], alert_id=alert_id)
    start = wall_ms() - int(seconds_ago * 1000)
    await engine.alert(alert_id, [replace(made, cursor=replace(made.cursor, start=start))])


async def change_server(engine: Engine, *, seconds_ago: float = 0.0) -> None:
    """Let the partition have been another server's; this one was first claimed from some seconds ago."""
    await engine.redis.call("HSET", engine.keys.run, "id", "0123456789abcdef")
    await engine.try_claim(lane="webhook")  # nothing waits there: it only sees that the server is another
    if seconds_ago:
        await engine.redis.call("HSET", engine.keys.run, "changed", wall_ms() - int(seconds_ago * 1000))


async def labelled(engine: Engine) -> bool:
    """Claim a chunk and say whether it is to be labelled; nothing stops it."""
    chunk = await engine.claim(most=5)

    assert not chunk.flags & STOPPED
    return bool(chunk.flags & AGAIN)


async def test_nothing_is_labelled_without_a_change(engine: Engine) -> None:
    """The first server that answers is no change."""
    await begun(engine, "alert", seconds_ago=30)

    assert not await labelled(engine)


@pytest.mark.parametrize(
    ("began", "changed", "label"),
    [
        (5.0, 0.0, True),  # may have been claimed and sent just before
        (40.0, 30.0, True),
        (10.0, 30.0, False),  # published by the present server
        (90.0, 70.0, False),  # whatever was forgotten has been claimed again long since
    ],
)
async def test_fresh_chunk_of_an_older_leg_is_labelled(
    engine: Engine, began: float, changed: float, label: bool
) -> None:
    """The claim and the settles may have been the old server's last words; its workers may be dead."""
    await begun(engine, "alert", seconds_ago=began)
    await engine.try_claim(lane="webhook")
    await change_server(engine, seconds_ago=changed)

    assert await labelled(engine) is label
    assert await labelled(engine) is label


async def test_retry_and_recovered_lease_are_labelled_too(engine: Engine) -> None:
    """A retry that was made, or a lease that was settled, may be waiting once more."""
    await begun(engine, "alert", seconds_ago=5)
    retried, lost = await engine.claim(most=5), await engine.claim(most=5)
    await engine.settle(retried, {0: RETRYING}, size=10, retry_at=1)
    await engine.redis.call("ZADD", engine.keys.leases(LANE, lost.klass), 1, lost.member)
    await change_server(engine)
    found = [await engine.claim(), await engine.claim()]

    assert [(chunk.how, chunk.flags & AGAIN) for chunk in found] == [("again", AGAIN), ("retry", AGAIN)]


async def test_change_that_nobody_claimed_through_is_seen(engine: Engine) -> None:
    """All workers died with the old server: the first claim of the new ones is labelled already."""
    await begun(engine, "alert", seconds_ago=5)
    await engine.try_claim(lane="webhook")
    await engine.redis.call("HSET", engine.keys.run, "id", "0123456789abcdef")

    assert await labelled(engine)


@pytest.mark.parametrize(("before", "now", "label"), [("a", "a", False), ("a", "b", True), ("", "", True)])
async def test_server_on_the_same_ground_has_forgotten_nothing(
    engine: Engine, before: str, now: str, label: bool
) -> None:
    """The private server was killed or stopped, and the machine was not: nothing is labelled for that."""
    engine.redis.ground = before
    await begun(engine, "alert", seconds_ago=5)
    await engine.try_claim(lane="webhook")
    engine.redis.ground = now
    await change_server(engine)
    engine.redis.ground = ""

    assert await labelled(engine) is label


async def test_leg_itself_is_not_marked(engine: Engine) -> None:
    """The doubt ends with its minute: what is claimed of a long leg later is sent without a label."""
    await begun(engine, "alert", seconds_ago=5)
    await engine.try_claim(lane="webhook")
    await change_server(engine)
    first = await labelled(engine)
    await engine.redis.call("HSET", engine.keys.run, "changed", wall_ms() - 61_000)

    assert (first, await labelled(engine)) == (True, False)


@pytest.mark.parametrize(("received", "label"), [(5.0, True), (-5.0, False)])
async def test_plan_of_an_older_alert_is_labelled(engine: Engine, received: float, label: bool) -> None:
    """The old server had planned it, and its workers had sent it; this one has the alert, and no plan."""
    await begun(engine, "other", seconds_ago=0)
    await change_server(engine)
    made = new_leg([10])
    await engine.alerts.accept(an_alert(received_ms=wall_ms() - int(received * 1000)))
    later = replace(made, cursor=replace(made.cursor, start=wall_ms() + 5_000, klass=Class.P0))
    await engine.legs.publish("alert", Publication(legs=[later], recipients=10), now_ms=wall_ms())
    chunk = await engine.claim()

    assert chunk.leg_id == made.leg_id
    assert bool(chunk.flags & AGAIN) is label
    assert bool((await engine.known(made.leg_id)).cursor.flags & AGAIN) is label
