"""Reconciling: each record of a leg is final, or somebody looks after it."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import pytest

from relay.adapter import Class
from relay.clock import SystemClock
from relay.fanout.bell import Bells
from relay.fanout.channels import Channels
from relay.fanout.reconcile import Reconciler
from relay.settings import Engine as EngineSettings
from relay.store.cursor import AGAIN
from relay.tracking.reasons import code_of, reason_of
from relay.tracking.states import Flag, Record, State
from tests.contract.engine_side import LANE, Engine, new_leg, wall_ms

SENT = Record(state=State.DELIVERED, send=1, ended=1)


@dataclass
class Channel:
    index: int = 1
    receipt_deadline: float = 60.0


class OneChannel:
    def __iter__(self) -> Iterator[Channel]:
        return iter([Channel()])


class Ahead(SystemClock):
    """A machine whose clock is ahead of the server's."""

    def time(self) -> float:
        return time.time() + 2


@pytest.fixture
def reconciler(engine: Engine) -> Reconciler:
    return made(engine, SystemClock())


def made(engine: Engine, clock: SystemClock) -> Reconciler:
    channels = cast("Channels", OneChannel())
    bells = Bells(engine.redis, engine.keys, [], look=1.0)
    return Reconciler(engine.legs, engine.chunks, channels, bells, engine=EngineSettings(), clock=clock)


async def next_look(engine: Engine, leg: str) -> float | None:
    """Return in how many seconds the leg is looked at again; None: never."""
    score = await engine.redis.call("ZSCORE", engine.keys.checks, leg)
    return (float(score) - wall_ms()) / 1000 if score is not None else None


async def forget_leases(engine: Engine) -> None:
    """Lose what was leased, as a failover may."""
    await engine.redis.call("DEL", engine.keys.leases(LANE, Class.P1), engine.keys.tokens)


async def test_healthy_leg_is_left_alone(engine: Engine, reconciler: Reconciler) -> None:
    """What waits, what is leased and what is put off is looked after; the leg is looked at again later."""
    leg = await engine.leg([1000])
    chunk = await engine.claim(most=100)
    await engine.settle(chunk, {0: Record(state=State.RETRYING, send=1, due=9)}, size=1000, retry_at=wall_ms() + 9000)
    await engine.claim(most=100)
    before = await engine.legs.covered(await engine.known(leg))
    await reconciler.look(leg)
    again = await next_look(engine, leg)

    assert await engine.legs.covered(await engine.known(leg)) == before
    assert again == pytest.approx(30, abs=1)


async def test_orphans_are_queued_again(engine: Engine, reconciler: Reconciler) -> None:
    """Claimed deliveries that no lease covers, as after a failover that lost it, are claimed again; done ones are not."""
    leg = await engine.leg([1000])
    chunk = await engine.claim(most=100)
    await engine.settle(chunk, dict.fromkeys(range(20, 30), SENT), size=1000, final=False)
    await forget_leases(engine)
    await reconciler.look(leg)
    chunks = [await engine.claim() for _ in range(2)]
    found = sorted((c.how, c.first, c.last) for c in chunks)

    assert found == [("retry", 0, 20), ("retry", 30, 100)]


async def test_stopped_leg_is_closed(engine: Engine, reconciler: Reconciler) -> None:
    """After a cancel the leg is closed as soon as nothing is leased, and looked at no more."""
    leg = await engine.leg([10])
    chunk = await engine.claim()
    alert = await engine.alerts.get("alert")
    assert alert is not None
    await engine.alerts.stop(alert, state="cancelled", cause="x")
    await reconciler.look(leg)
    while_leased = await next_look(engine, leg)
    await engine.settle(chunk, {0: SENT}, size=10)
    await reconciler.look(leg)
    await reconciler.look(leg)

    assert while_leased == pytest.approx(0.25, abs=0.2)
    assert await engine.counts(leg) == {State.DELIVERED: 1, State.CANCELLED: 9}
    assert await next_look(engine, leg) is None


@pytest.mark.parametrize(("state", "ends"), [("cancelled", State.CANCELLED), ("superseded", State.CANCELLED)])
async def test_stop_is_read_as_cancelled(engine: Engine, reconciler: Reconciler, state: str, ends: State) -> None:
    """What waited of a cancelled or superseded alert reads as cancelled."""
    leg = await engine.leg([10])
    alert = await engine.alerts.get("alert")
    assert alert is not None
    await engine.alerts.stop(alert, state=state, cause="x")
    await reconciler.look(leg)

    assert await engine.counts(leg) == {ends: 10}


async def test_expired_leg_is_closed(engine: Engine, reconciler: Reconciler) -> None:
    """At its end a leg is closed without anybody claiming it."""
    leg = await engine.leg([10], expires_in=-1)
    await reconciler.look(leg)

    assert await engine.counts(leg) == {State.EXPIRED: 10}


async def test_leg_that_came_back_is_not_closed_at_once(engine: Engine, reconciler: Reconciler) -> None:
    """It ended before the loss, and was sent: its alert was called expired before the workers had said so."""
    made = new_leg([10], expires_in=-1)
    cursor = replace(made.cursor, flags=AGAIN)
    await engine.alert("alert", [replace(made, cursor=cursor)])
    await reconciler.look(made.leg_id)
    young = await engine.counts(made.leg_id)
    again = await next_look(engine, made.leg_id)
    await engine.redis.call("HSET", engine.keys.legs, made.leg_id, replace(cursor, start=cursor.start - 3_000).pack())
    await reconciler.look(made.leg_id)

    assert young == {State.QUEUED: 10}
    assert again is not None
    assert 1 < again <= 3
    assert await engine.counts(made.leg_id) == {State.POSSIBLY_SENT: 10}


async def test_clock_that_is_ahead_looks_again_soon(engine: Engine) -> None:
    """The server says that the leg still runs: it is looked at again at once, not after half a minute."""
    leg = await engine.leg([10], expires_in=1)
    await made(engine, Ahead()).look(leg)
    again = await next_look(engine, leg)

    assert await engine.counts(leg) == {State.QUEUED: 10}
    assert again is not None
    assert again < 3


async def test_doubt_in_a_stopped_leg_ends(engine: Engine, reconciler: Reconciler) -> None:
    """What was being sent when its worker died, in a cancelled leg, was possibly sent: nothing stays open."""
    leg = await engine.leg([3])
    chunk = await engine.claim()
    await engine.settle(chunk, {1: Record(state=State.SENDING, send=1, channel=1)}, final=False)
    await forget_leases(engine)
    packed = await engine.redis.call("HGET", engine.keys.legs, leg)
    flagged = packed[:2] + b"\x01" + packed[3:20] + bytes(4) + packed[24:]  # cancelled, nothing leased
    await engine.redis.call("HSET", engine.keys.legs, leg, flagged)
    await reconciler.look(leg)
    record = Record.unpack(await engine.legs.records(leg, 0, first=1, last=2))

    assert (record.state, reason_of(record.reason)) == (State.POSSIBLY_SENT, "worker_lost")
    assert record.flags == Flag.IN_DOUBT
    assert await engine.counts(leg) == {State.POSSIBLY_SENT: 1, State.CANCELLED: 2}


async def test_retry_in_doubt_of_a_cancelled_leg_was_possibly_sent(engine: Engine, reconciler: Reconciler) -> None:
    """An earlier hand-over may have arrived: to call it cancelled would say that nobody was told."""
    leg = await engine.leg([3])
    chunk = await engine.claim()
    timeout = Record(
        state=State.RETRYING, send=1, channel=1, due=900_000, flags=Flag.IN_DOUBT, reason=code_of("timeout")
    )
    await engine.settle(chunk, {0: timeout, 1: Record(state=State.RETRYING, send=1, due=900_000)})
    alert = await engine.alerts.get("alert")
    assert alert is not None
    await engine.alerts.stop(alert, state="cancelled", cause="x")
    await reconciler.look(leg)
    record = Record.unpack(await engine.legs.records(leg, 0, first=0, last=1))

    assert (record.state, reason_of(record.reason)) == (State.POSSIBLY_SENT, "timeout")
    assert await engine.counts(leg) == {State.POSSIBLY_SENT: 1, State.CANCELLED: 2}


@pytest.mark.parametrize(("accepted_s", "looks_s"), [(41, 1), (60, 20), (90, 30)])
async def test_missing_receipt_ends_unconfirmed(
    engine: Engine, reconciler: Reconciler, accepted_s: int, looks_s: int
) -> None:
    """No receipt by the deadline, a minute: unconfirmed; the leg is looked at when the next one is due, not before."""
    made_leg = new_leg([3])
    late = made_leg.cursor.start - 100_000
    packed = made_leg.cursor.pack()
    await engine.alert("alert", [made_leg])
    await engine.redis.call(
        "HSET", engine.keys.legs, made_leg.leg_id, packed[:32] + struct.pack("<d", late) + packed[40:]
    )
    chunk = await engine.claim()
    accepted = Record(state=State.ACCEPTED, send=1, channel=1, accepted=1)
    await engine.settle(
        chunk, {0: accepted, 1: Record(state=State.ACCEPTED, send=1, channel=1, accepted=accepted_s * 100), 2: SENT}
    )
    await reconciler.look(made_leg.leg_id)
    again = await next_look(engine, made_leg.leg_id)

    assert await engine.counts(made_leg.leg_id) == {
        State.DELIVERED_UNCONFIRMED: 1,
        State.ACCEPTED: 1,
        State.DELIVERED: 1,
    }
    assert again == pytest.approx(looks_s, abs=0.3)


async def test_finished_leg_is_looked_at_no_more(engine: Engine, reconciler: Reconciler) -> None:
    """When all is final, nobody looks again; a leg that is gone neither."""
    leg = await engine.leg([2])
    await engine.settle(await engine.claim(), {0: SENT, 1: SENT})
    await engine.legs.check_again("gone", at_ms=1)
    await reconciler.look(leg)
    await reconciler.look("gone")

    assert await engine.redis.call("ZCARD", engine.keys.checks) == 0


async def test_leg_that_another_server_has_as_ended_is_looked_at_again(engine: Engine, reconciler: Reconciler) -> None:
    """The look ended it on the old server, and asked the new one, which knows nothing of that, for no more looks."""
    leg = await engine.leg([1])
    chunk = await engine.claim()
    await engine.settle(chunk, {0: Record(state=State.ACCEPTED, send=1, channel=1, accepted=1)})
    await engine.legs.check_again(leg, at_ms=0)
    again = await next_look(engine, leg)
    await engine.settle(chunk, {0: SENT}, leased=False)
    await engine.legs.check_again(leg, at_ms=0)

    assert again is not None
    assert 0 < again <= 10
    assert await next_look(engine, leg) is None


@pytest.mark.parametrize(("changed_ago", "ends"), [(0, State.POSSIBLY_SENT), (90, State.CANCELLED)])
async def test_what_another_server_may_have_sent_is_not_called_unsent(
    engine: Engine, reconciler: Reconciler, changed_ago: int, ends: State
) -> None:
    """Sent through the old primary by workers that died, cancelled after the failover: nobody knows whom it reached."""
    leg = await engine.leg([10])
    await engine.redis.call("HSET", engine.keys.run, "changed", wall_ms() - changed_ago * 1000)
    alert = await engine.alerts.get("alert")
    assert alert is not None
    await engine.alerts.stop(alert, state="cancelled", cause="c")
    await reconciler.look(leg)

    assert await engine.counts(leg) == {ends: 10}
