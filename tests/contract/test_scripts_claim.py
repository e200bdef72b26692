"""Claiming: the worst news first, nothing starves, nothing is lost, nobody sends what another one holds."""

import asyncio
import itertools
from collections import Counter

import pytest

from relay.adapter import Class
from relay.store.chunk import Chunk
from relay.store.chunks import Nothing
from relay.tracking.states import Record, State
from tests.contract.engine_side import LANE, Engine, new_leg, wall_ms

SENT = Record(state=State.DELIVERED, send=1, ended=1)


async def expire_leases(engine: Engine) -> None:
    """Let every lease that was given run out now."""
    for klass in Class:
        key = engine.keys.leases(LANE, klass)
        for member in await engine.redis.call("ZRANGE", key, 0, -1):
            await engine.redis.call("ZADD", key, 1, member)


async def test_chunks_cover_a_leg_once(engine: Engine) -> None:
    """Fresh chunks partition every segment: no gap, no overlap, none longer than asked for."""
    leg = await engine.leg([1000, 7, 260])
    found = []
    while isinstance(chunk := (await engine.try_claim(most=300)).found, Chunk):
        found.append((chunk.segment, chunk.first, chunk.last))

    assert found == [(0, 0, 300), (0, 300, 600), (0, 600, 900), (0, 900, 1000), (1, 0, 7), (2, 0, 260)]
    assert (await engine.known(leg)).cursor.leased == 6
    assert (await engine.known(leg)).cursor.exhausted


async def test_a_chunk_knows_its_leg(engine: Engine) -> None:
    """A claim returns all that is needed to begin: class, start, expiry, flags, and how it came about."""
    made = new_leg([5], klass=Class.P2)
    await engine.alert("alert", [made])
    chunk = await engine.claim()

    assert (chunk.how, chunk.klass, chunk.flags, chunk.leg_id) == ("fresh", Class.P2, 0, made.leg_id)
    assert (chunk.start_ms, chunk.expires_ms) == (made.cursor.start, made.cursor.expires)
    assert (chunk.segment, chunk.first, chunk.last) == (0, 0, 5)


async def test_flash_overtakes_ten_thousand_low_legs(engine: Engine) -> None:
    """However much low news waits, the next claim after a P0 is published returns the P0."""
    cursor = new_leg([500], klass=Class.P4).cursor.pack()
    ready, legs = engine.keys.ready(LANE, Class.P4), engine.keys.legs
    for start in range(0, 10_000, 1000):
        ids = [f"low{n}" for n in range(start, start + 1000)]
        await engine.redis.call("HSET", legs, *[part for i in ids for part in (i, cursor)])
        await engine.redis.call("ZADD", ready, *[part for i in ids for part in (0, i)])
    for _ in range(40):
        assert (await engine.claim()).klass is Class.P4
    await engine.leg([700], klass=Class.P0)
    found = [(await engine.claim()).klass for _ in range(3)]

    assert found == [Class.P0, Class.P0, Class.P4]


async def test_flash_never_waits_for_the_floor(engine: Engine) -> None:
    """The share of the lowest class is taken from P1 to P4 only: as long as a P0 waits, every claim returns it."""
    await engine.leg([4000], klass=Class.P0, alert_id="flash")
    await engine.leg([4000], klass=Class.P4, alert_id="low")
    found = [(await engine.claim(most=50)).klass for _ in range(80)]

    assert set(found) == {Class.P0}


async def test_one_claim_in_sixteen_starts_with_the_lowest(engine: Engine) -> None:
    """Strict classes starve nobody: a floor of 1 in 16 goes to P4 and to drills in turn."""
    for klass in (Class.P1, Class.P4, Class.PX):
        await engine.leg([4000], klass=klass, alert_id=f"of {klass}")
    found = [(await engine.claim(most=1)).klass for _ in range(320)]
    low = [number for number, klass in enumerate(found, start=1) if klass is not Class.P1]

    assert Counter(found) == {Class.P1: 300, Class.P4: 10, Class.PX: 10}
    assert [b - a for a, b in itertools.pairwise(low)] == [16] * 19


async def test_classes_are_strict(engine: Engine) -> None:
    """Away from the floor, worse news is exhausted before any other begins."""
    for klass in reversed(Class):
        await engine.leg([2], klass=klass, alert_id=f"of {klass}")
    found = [(await engine.claim(most=1)).klass for _ in range(12)]

    assert found == sorted(found, key=list(Class).index)


async def test_each_lane_has_its_floor(engine: Engine) -> None:
    """Two lanes that claim in strict turn: neither takes the other's share of the lowest class."""
    for lane in ("sms", "email"):
        for klass in (Class.P1, Class.P4):
            await engine.leg([4000], klass=klass, alert_id=f"{lane} of {klass}", lane=lane)
    found: dict[str, list[Class]] = {"sms": [], "email": []}
    for _ in range(32):
        for lane, classes in found.items():
            claimed = (await engine.try_claim(lane=lane, most=1)).found
            assert isinstance(claimed, Chunk)
            classes.append(claimed.klass)

    assert [classes.count(Class.P4) for classes in found.values()] == [2, 2]


async def test_legs_of_a_class_take_turns(engine: Engine) -> None:
    """Two legs of a class are served in turn, so a small one does not wait for a large one."""
    large = await engine.leg([4000, 4000], alert_id="large")
    small = await engine.leg([100], alert_id="small")
    found = [(await engine.claim(most=50)).leg_id for _ in range(5)]

    assert Counter(found) == {large: 3, small: 2}
    assert found[0] != found[1]


async def test_legs_begin_in_the_order_of_their_plans(engine: Engine) -> None:
    """Many small alerts of a class: who was planned first is told first, whatever the legs are called."""
    legs = []
    for number in range(12):
        legs.append(await engine.leg([1], alert_id=f"alert {number}"))
        await asyncio.sleep(0.002)  # plans are told apart by the millisecond

    assert [(await engine.claim()).leg_id for _ in legs] == legs


async def test_urgent_slots_take_no_low_news(engine: Engine) -> None:
    """A worker whose slots are full asks for P0 and P1 only."""
    await engine.leg([5], klass=Class.P2, alert_id="high")
    nothing = (await engine.try_claim(urgent=True)).found
    await engine.leg([5], klass=Class.P1, alert_id="urgent")
    chunk = await engine.claim(urgent=True)

    assert isinstance(nothing, Nothing)
    assert chunk.klass is Class.P1


async def test_lanes_do_not_meet(engine: Engine) -> None:
    """A lane claims its own kind only."""
    await engine.leg([5], lane="email")
    sms = (await engine.try_claim(lane="sms")).found
    email = (await engine.try_claim(lane="email")).found

    assert isinstance(sms, Nothing)
    assert isinstance(email, Chunk)


async def test_expired_lease_is_given_to_another(engine: Engine) -> None:
    """What a dead worker held is leased again, with its class, as the same range and under another token."""
    await engine.leg([10], klass=Class.P3)
    first = await engine.claim()
    await expire_leases(engine)
    second = await engine.claim()

    assert (second.how, second.member, second.klass) == ("again", first.member, Class.P3)
    assert second.token != first.token
    assert (await engine.known(first.leg_id)).cursor.leased == 1


async def test_live_lease_is_left_alone(engine: Engine) -> None:
    """As long as a lease lives nobody else gets its range, and a claim says how long that may be."""
    await engine.leg([10])
    await engine.claim(lease_ms=400)
    nothing = await engine.nothing()

    assert 0 < nothing.wait <= 0.4
    assert not nothing.fenced


async def test_recovered_lease_comes_before_new_work(engine: Engine) -> None:
    """Within a class what a dead worker left goes first, then due retries, then new chunks."""
    await engine.leg([10], alert_id="one")
    await engine.leg([10], alert_id="two")
    first = await engine.claim()
    retried = await engine.claim()
    await engine.settle(retried, {0: Record(state=State.RETRYING, send=1, due=1)}, alert_id="two", retry_at=1)
    await engine.leg([10], alert_id="three")
    await expire_leases(engine)
    found = [await engine.claim() for _ in range(3)]

    assert [chunk.how for chunk in found] == ["again", "retry", "fresh"]
    assert [chunk.leg_id for chunk in found[:2]] == [first.leg_id, retried.leg_id]


async def test_retries_and_recovered_leases_keep_their_class(engine: Engine) -> None:
    """A retry of low news does not overtake fresh P1, and a recovered P1 lease overtakes fresh P2."""
    await engine.leg([10], klass=Class.P4, alert_id="low")
    low = await engine.claim()
    await engine.settle(low, {0: Record(state=State.RETRYING, send=1, due=1)}, alert_id="low", retry_at=1)
    await engine.leg([10], klass=Class.P1, alert_id="urgent")
    await engine.claim()
    await engine.leg([10], klass=Class.P2, alert_id="high")
    await expire_leases(engine)
    found = [await engine.claim() for _ in range(3)]

    assert [(chunk.klass, chunk.how) for chunk in found] == [
        (Class.P1, "again"),
        (Class.P2, "fresh"),
        (Class.P4, "retry"),
    ]


async def test_retry_waits_until_it_is_due(engine: Engine) -> None:
    """A retry is claimed at its time and not before, and covers the range it was settled for."""
    await engine.leg([10])
    chunk = await engine.claim()
    await engine.settle(chunk, {3: Record(state=State.RETRYING, send=1, due=1)}, size=10, retry_at=wall_ms() + 60_000)
    early = await engine.nothing()
    await engine.redis.call("ZADD", engine.keys.retries(LANE, Class.P1), 1, chunk.member)
    again = await engine.claim()

    assert 59 < early.wait <= 60
    assert (again.how, again.member) == ("retry", chunk.member)


async def test_stale_token_extends_nothing(engine: Engine) -> None:
    """A worker that slept past its lease can neither renew it nor give it back, and hears that it lost it."""
    await engine.leg([10])
    stale = await engine.claim()
    await expire_leases(engine)
    fresh = await engine.claim()
    renewed = await engine.chunks.renew([stale, fresh], lease_ms=10_000, flash_ms=5_000)
    settled = await engine.settle(stale, {0: SENT}, size=10)
    leased = await engine.redis.call("ZRANGE", engine.keys.leases(LANE, Class.P1), 0, -1)

    assert renewed == [-1, 0]
    assert settled.lost
    assert leased == [fresh.member.encode()]
    assert not (await engine.settle(fresh, {1: SENT}, size=10)).lost


async def test_renewed_lease_does_not_run_out(engine: Engine) -> None:
    """Renewing moves the end of the lease; the worst news gets the shorter one, to be recovered sooner."""
    await engine.leg([10], klass=Class.P0, alert_id="flash")
    flash = await engine.claim()
    await engine.leg([10], klass=Class.P3, alert_id="normal")
    normal = await engine.claim()
    await expire_leases(engine)
    now = wall_ms()
    await engine.chunks.renew([flash, normal], lease_ms=10_000, flash_ms=5_000)
    ends = [
        float(await engine.redis.call("ZSCORE", engine.keys.leases(LANE, c.klass), c.member)) for c in (flash, normal)
    ]

    assert ends[0] - now == pytest.approx(5_000, abs=500)
    assert ends[1] - now == pytest.approx(10_000, abs=500)


async def test_another_server_run_fences(engine: Engine) -> None:
    """After a failover nothing is leased until the leases of the old server have surely run out."""
    await engine.leg([10])
    before = await engine.try_claim(most=5)
    await engine.redis.call("HSET", engine.keys.run, "id", "0123456789abcdef")
    fenced = await engine.try_claim(fence_ms=200)
    still = await engine.try_claim(fence_ms=200)
    await engine.redis.call("HSET", engine.keys.run, "until", "1")
    after = await engine.try_claim(fence_ms=200)

    assert isinstance(before.found, Chunk)
    assert isinstance(fenced.found, Nothing)
    assert fenced.found.fenced
    assert isinstance(still.found, Nothing)
    assert 0 < still.found.wait <= fenced.found.wait <= 0.2
    assert isinstance(after.found, Chunk)


async def test_a_worker_alone_is_not_fenced(engine: Engine) -> None:
    """A fence of 0 lets the only worker go on at once after the server was started again."""
    await engine.leg([10])
    await engine.try_claim(most=5)
    await engine.redis.call("HSET", engine.keys.run, "id", "0123456789abcdef")
    after = await engine.try_claim(fence_ms=0)

    assert isinstance(after.found, Chunk)


async def test_epoch_changes_when_everything_was_lost(engine: Engine) -> None:
    """The epoch stays from claim to claim, and is another one after FLUSHALL, so that workers repeat their settles."""
    await engine.leg([10])
    epochs = [(await engine.try_claim(most=2)).epoch for _ in range(3)]
    idle = (await engine.try_claim(lane="email")).epoch
    await engine.redis.call("FLUSHALL")
    lost = (await engine.try_claim()).epoch

    assert len({*epochs, idle}) == 1
    assert lost != idle


async def test_expired_leg_is_not_begun(engine: Engine) -> None:
    """A leg whose time is over gives no fresh chunk, and is handed to the reconciler."""
    leg = await engine.leg([10], expires_in=-1)
    await engine.nothing()
    checks = await engine.legs.take_checks(put_off_ms=1000, most=10)

    assert checks == [leg]
    assert (await engine.known(leg)).cursor.flags == 4


async def test_lease_of_a_vanished_leg_is_dropped(engine: Engine) -> None:
    """A lease whose leg is gone blocks nobody."""
    await engine.leg([10])
    chunk = await engine.claim()
    await engine.redis.call("HDEL", engine.keys.legs, chunk.leg_id)
    await expire_leases(engine)
    await engine.nothing()

    assert await engine.redis.call("HLEN", engine.keys.tokens) == 0
    assert await engine.redis.call("ZCARD", engine.keys.leases(LANE, Class.P1)) == 0
