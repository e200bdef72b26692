"""Stopping and closing: no write per recipient, no count lost, leased chunks first."""

import pytest

from relay.adapter import Class
from relay.store.alerts import StoredAlert
from relay.store.chunk import Chunk
from relay.tracking.states import Record, State
from tests.contract.engine_side import LANE, Engine, new_leg, wall_ms

SENT = Record(state=State.DELIVERED, send=1, ended=1)
RETRY = Record(state=State.RETRYING, send=1, due=1)


async def stored(engine: Engine, alert_id: str = "alert") -> StoredAlert:
    found = await engine.alerts.get(alert_id)
    assert found is not None
    return found


async def stop(engine: Engine, state: str = "cancelled") -> str:
    return await engine.alerts.stop(await stored(engine), state=state, cause="cause")


async def test_stopped_leg_gives_nothing_fresh(engine: Engine) -> None:
    """From the moment of the stop nobody new is told, and the leg is looked at at once."""
    leg = await engine.leg([1000])
    await engine.claim(most=10)
    state = await stop(engine)
    await engine.nothing()

    assert state == (await stored(engine))["state"] == "cancelled"
    assert (await stored(engine))["cancelled_by"] == "cause"
    assert await engine.legs.take_checks(put_off_ms=10, most=5) == [leg]


async def test_leased_chunks_are_waited_for(engine: Engine) -> None:
    """A leg is closed only when its last chunk was given back: its people are told, or not, by then."""
    leg = await engine.leg([100])
    chunk = await engine.claim(most=10)
    await stop(engine)
    while_leased = await engine.legs.close(leg, "alert", State.CANCELLED)
    await engine.redis.call("DEL", engine.keys.checks)
    await engine.settle(chunk, {0: SENT, 1: SENT}, size=100)
    checks = await engine.legs.take_checks(put_off_ms=10, most=5)
    closed = await engine.legs.close(leg, "alert", State.CANCELLED)

    assert (while_leased, closed) == ("leased", "closed")
    assert checks == [leg]
    assert await engine.counts(leg) == {State.DELIVERED: 2, State.CANCELLED: 98}
    assert (await engine.known(leg)).closed is State.CANCELLED


async def test_chunk_of_a_dead_worker_is_taken_over_to_be_closed(engine: Engine) -> None:
    """A stopped leg's lease that ran out is still given to a worker, which learns that it may not send."""
    await engine.leg([100])
    await engine.claim(most=10)
    await stop(engine)
    for member in await engine.redis.call("ZRANGE", engine.keys.leases(LANE, Class.P1), 0, -1):
        await engine.redis.call("ZADD", engine.keys.leases(LANE, Class.P1), 1, member)
    chunk = await engine.claim()

    assert (chunk.how, chunk.flags) == ("again", 1)


async def test_closed_leg_counts_what_waited(engine: Engine) -> None:
    """Queued and retrying are counted as the leg's end; what was handed over stays what it is; the sum stays."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    accepted = Record(state=State.ACCEPTED, send=1)
    await engine.settle(chunk, {0: SENT, 1: RETRY, 2: accepted}, size=10, retry_at=1)
    await stop(engine)
    await engine.legs.close(leg, "alert", State.CANCELLED)

    assert await engine.counts(leg) == {State.DELIVERED: 1, State.ACCEPTED: 1, State.CANCELLED: 8}
    assert (await engine.known(leg)).facts["ended"] == "9"
    assert "done" not in (await engine.known(leg)).facts


async def test_closing_twice_counts_once(engine: Engine) -> None:
    """Two reconcilers may close the same leg."""
    leg = await engine.leg([10])
    await stop(engine)
    words = [await engine.legs.close(leg, "alert", State.CANCELLED) for _ in range(3)]

    assert words == ["closed"] * 3
    assert await engine.counts(leg) == {State.CANCELLED: 10}
    assert (await stored(engine)).number("legs_open") == 0


async def test_late_words_after_closing(engine: Engine) -> None:
    """A receipt, or a worker that slept, tells of people who count as cancelled: they move, the sum stays."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    await engine.settle(chunk, {5: RETRY}, size=10)
    await stop(engine)
    await engine.legs.close(leg, "alert", State.CANCELLED)
    await engine.settle(chunk, {5: SENT}, size=10, leased=False)
    await engine.settle(chunk, dict.fromkeys(range(3), SENT), size=10, leased=False)
    await engine.settle(chunk, dict.fromkeys(range(3), SENT), size=10, leased=False)
    await engine.settle(chunk, {7: RETRY, 8: RETRY}, size=10, leased=False)

    assert await engine.counts(leg) == {State.DELIVERED: 4, State.CANCELLED: 6}
    assert (await engine.known(leg)).facts["ended"] == "10"


async def test_doubt_after_closing_ends_the_leg(engine: Engine) -> None:
    """What was being sent when the leg was closed keeps it open until that is known."""
    leg = await engine.leg([3])
    chunk = await engine.claim()
    await engine.settle(chunk, {1: Record(state=State.SENDING, send=1)})
    await stop(engine)
    await engine.legs.close(leg, "alert", State.CANCELLED)
    before = "done" in (await engine.known(leg)).facts
    settled = await engine.settle(chunk, {1: Record(state=State.POSSIBLY_SENT, send=1, ended=5)}, leased=False)

    assert (before, settled.done) == (False, True)
    assert await engine.counts(leg) == {State.CANCELLED: 2, State.POSSIBLY_SENT: 1}


async def test_retry_of_a_stopped_leg_is_not_queued(engine: Engine) -> None:
    """A chunk given back after the stop owes nothing any more."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    await stop(engine)
    await engine.settle(chunk, {0: RETRY}, size=10, retry_at=wall_ms())

    assert await engine.legs.covered(await engine.known(leg)) == ([], [])


async def test_running_leg_is_not_closed(engine: Engine) -> None:
    """Only what was stopped or has expired is closed."""
    leg = await engine.leg([10])

    assert await engine.legs.close(leg, "alert", State.EXPIRED) == "running"
    assert await engine.legs.close("unknown", "alert", State.EXPIRED) == "unknown"
    assert await engine.counts(leg) == {State.QUEUED: 10}


async def test_expired_unseen_alert_is_expired(engine: Engine) -> None:
    """An alert of which nothing was sent in time says so."""
    leg = await engine.leg([10], expires_in=-1)
    await engine.legs.close(leg, "alert", State.EXPIRED)

    assert await engine.counts(leg) == {State.EXPIRED: 10}
    assert await engine.state() == "expired"


async def test_partly_sent_alert_is_completed(engine: Engine) -> None:
    """Something was sent, the rest expired: the alert is complete, and the counts tell the rest."""
    made = new_leg([10], expires_in=3600)
    await engine.alert("alert", [made])
    await engine.settle(await engine.claim(), {0: SENT}, size=10)
    await engine.redis.call("HSET", engine.keys.legs, made.leg_id, _expired(made.cursor.pack()))
    await engine.legs.close(made.leg_id, "alert", State.EXPIRED)

    assert await engine.state() == "completed"


def _expired(packed: bytes) -> bytes:
    """Return a packed cursor with the flag of expiry."""
    return packed[:2] + b"\x04" + packed[3:]


@pytest.mark.parametrize("last", ["sms", "email"])
async def test_state_does_not_depend_on_the_leg_that_ends_last(engine: Engine, last: str) -> None:
    """One leg was sent, the other expired unseen: the alert is complete, whichever ended last."""
    sent, unseen = new_leg([1]), new_leg([5], lane="email", round_number=1, expires_in=-1)
    await engine.alert("alert", [sent, unseen])
    chunk = await engine.claim()
    for lane in (["email", "sms"], ["sms", "email"])[last == "email"]:
        if lane == "sms":
            await engine.settle(chunk, {0: SENT})
        else:
            await engine.legs.close(unseen.leg_id, "alert", State.EXPIRED)

    assert await engine.state() == "completed"


async def test_all_legs_unseen_is_expired(engine: Engine) -> None:
    """Of two legs nothing was sent in time: the alert is expired."""
    legs = [new_leg([1], expires_in=-1), new_leg([5], lane="email", round_number=1, expires_in=-1)]
    await engine.alert("alert", legs)
    for leg in legs:
        await engine.legs.close(leg.leg_id, "alert", State.EXPIRED)

    assert await engine.state() == "expired"


async def test_cancel_is_stronger_than_update(engine: Engine) -> None:
    """A superseded alert may still be cancelled; a cancelled one is not superseded."""
    await engine.leg([10])
    states = [await stop(engine, "superseded"), await stop(engine), await stop(engine, "superseded")]

    assert states == ["superseded", "cancelled", "cancelled"]
    assert (await stored(engine))["state"] == "cancelled"


async def test_stopped_alert_stays_so_when_its_legs_end(engine: Engine) -> None:
    """A cancelled alert whose last chunk ends is cancelled, not complete."""
    leg = await engine.leg([1])
    chunk = await engine.claim()
    await stop(engine)
    await engine.settle(chunk, {0: SENT})
    await engine.legs.close(leg, "alert", State.CANCELLED)

    assert await engine.state() == "cancelled"


async def test_checks_are_taken_once(engine: Engine) -> None:
    """Two reconcilers do not look at the same leg at the same time; what is not due is left."""
    await engine.legs.check_again("due", at_ms=1)
    await engine.legs.check_again("later", at_ms=wall_ms() + 60_000)
    first = await engine.legs.take_checks(put_off_ms=60_000, most=5)
    second = await engine.legs.take_checks(put_off_ms=60_000, most=5)
    await engine.legs.check_again("later", at_ms=0)

    assert (first, second) == (["due"], [])
    assert await engine.redis.call("ZCARD", engine.keys.checks) == 1


async def test_orphans_can_be_queued_again(engine: Engine) -> None:
    """Ranges that nobody looks after are claimed like retries."""
    leg = await engine.leg([100])
    await engine.claim()
    await engine.redis.call("DEL", engine.keys.leases(LANE, Class.P1))
    await engine.legs.queue_again(await engine.known(leg), [(0, 10, 20)], at_ms=1)
    chunk = await engine.claim()

    assert (chunk.how, chunk.segment, chunk.first, chunk.last) == ("retry", 0, 10, 20)


async def test_waiting_counts_what_nobody_claimed(engine: Engine) -> None:
    """The status page learns how much of each class waits, and since when."""
    await engine.leg([4000, 10], klass=Class.P2, alert_id="one")
    chunk = await engine.claim(most=500)
    await engine.leg([7], klass=Class.P4, alert_id="two", lane="email")
    found = await engine.legs.waiting([LANE, "email"])

    assert isinstance(chunk, Chunk)
    assert found[Class.P2] == (3510, chunk.start_ms)
    assert found[Class.P4][0] == 7
    assert found[Class.P0] == (0, 0.0)
