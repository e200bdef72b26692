"""Admission: what a plan will need is known before anything of it is in Redis."""

from relay.adapter import Class
from relay.fanout.admission import Admission, need_of
from relay.fanout.plan import PlannedLeg
from relay.store.room import Room
from relay.testing.clocks import FakeClock
from tests.contract.engine_side import Engine, a_segment, an_alert


def planned(*sizes: int) -> PlannedLeg:
    """Return a leg with segments of these sizes; of nothing else in it admission knows."""
    leg = object.__new__(PlannedLeg)
    object.__setattr__(leg, "segments", [a_segment(size, number=n) for n, size in enumerate(sizes)])
    return leg


def test_need_is_what_redis_will_hold() -> None:
    """A million deliveries need their records and their places: 28 bytes each, and little for the leg."""
    need = need_of([planned(*[4000] * 250)])

    assert 1_000_000 * 24 < need < 1_000_000 * 30
    assert need_of([]) == 0


async def test_refused_plan_is_not_matched_again(engine: Engine) -> None:
    """What a plan needs is remembered: while there is no room for it, nobody is matched for it."""
    clock = FakeClock()
    room = Room(engine.redis, limit_mb=0, reserve=0.2, clock=clock)
    space = await room.look(engine.keys.first)
    tight = Room(engine.redis, limit_mb=1.25 * (space.used + 2_000_000) / 2**20, reserve=0.2, clock=clock)
    admission = Admission(tight, engine.alerts, engine.legs, clock=clock)
    await engine.alerts.accept(an_alert(klass=Class.P4))
    stored = await engine.alerts.get("alert")
    assert stored is not None
    begins = await admission.admits(stored)
    large = await admission.admits(stored, [planned(*[4000] * 250)])
    again = await admission.admits(stored)
    small = await admission.admits(stored, [planned(10)])

    assert (begins, large, again, small) == (True, False, False, True)


async def test_urgent_news_is_never_held_back(engine: Engine) -> None:
    """P0 and P1 are planned whatever the memory; what Redis itself refuses is tried again."""
    clock = FakeClock()
    admission = Admission(
        Room(engine.redis, limit_mb=0.001, reserve=0.2, clock=clock), engine.alerts, engine.legs, clock=clock
    )
    await engine.alerts.accept(an_alert(klass=Class.P0))
    stored = await engine.alerts.get("alert")
    assert stored is not None

    assert await admission.admits(stored, [planned(*[4000] * 250)])
