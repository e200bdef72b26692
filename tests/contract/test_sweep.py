"""Sweep over real servers: what nobody would look at again goes, when it is found twice; what is alive stays."""

import pytest

from relay.store.sweep import Sweep
from relay.tracking.states import Record, State
from tests.contract.engine_side import Engine, an_alert, wall_ms

WEEK = 7 * 24 * 3_600_000


@pytest.fixture
def sweep(engine: Engine) -> Sweep:
    return Sweep(engine.redis, engine.keys.first)


async def twice(sweep: Sweep, *, now_ms: int = 0) -> tuple[int, int]:
    """Sweep twice; returns what went each time."""
    return await sweep.once(now_ms=now_ms or wall_ms()), await sweep.once(now_ms=now_ms or wall_ms())


async def test_decision_without_an_alert_goes_after_a_week(engine: Engine, sweep: Sweep) -> None:
    """A word whose alert never came is kept as long as the alert could come; words on alerts that are here stay."""
    stored = an_alert("here", state="held")
    await engine.alerts.accept(stored)
    decisions = engine.keys.first.decisions
    await engine.redis.call(
        "HSET", decisions, "here", "approve k 5", "gone", f"approve k {wall_ms()}", "old", "reject k"
    )
    young = await twice(sweep)
    left = await engine.redis.call("HKEYS", decisions)
    old = await twice(sweep, now_ms=wall_ms() + WEEK + 1000)

    assert (young, sorted(left)) == ((0, 1), [b"gone", b"here"])
    assert old == (0, 1)
    assert await engine.redis.call("HKEYS", decisions) == [b"here"]


async def test_leg_without_an_alert_goes_whole(engine: Engine, sweep: Sweep) -> None:
    """A leg whose alert was lost leaves nothing, neither segments nor records; a leg in use is untouched."""
    kept = await engine.leg([2], alert_id="kept")
    leg = await engine.leg([3], alert_id="lost")
    await engine.redis.call("SET", engine.keys.first.segment(leg, 0), "x")
    await engine.settle(await engine.claim(), {0: Record(state=State.DELIVERED, send=1)}, alert_id="kept", size=2)
    await engine.redis.call("DEL", engine.keys.first.alert("lost"))
    found = await twice(sweep)
    names = [key.decode() for key in await engine.redis.call("KEYS", "*")]

    assert found == (0, 1)
    assert not [name for name in names if leg in name]
    assert await engine.legs.get(leg) is None
    assert await engine.legs.get(kept) is not None


async def test_token_of_nobodys_lease_goes(engine: Engine, sweep: Sweep) -> None:
    """A token whose lease is gone goes; that of a living lease stays."""
    await engine.leg([2])
    chunk = await engine.claim()
    await engine.redis.call("HSET", engine.keys.first.tokens, "leg|0|0|5", "token")
    found = await twice(sweep)

    assert found == (0, 1)
    assert [key.decode() for key in await engine.redis.call("HKEYS", engine.keys.first.tokens)] == [chunk.member]
