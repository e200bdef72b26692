"""What was planned here is kept for a moment, and not more than the lanes can use."""

from types import SimpleNamespace
from typing import cast

from relay.fanout.contents import LegFacts
from relay.fanout.just_planned import LONGEST, MOST, JustPlanned


def leg(name: str, *, start_ms: float = 0.0) -> LegFacts:
    return cast("LegFacts", SimpleNamespace(leg_id=name, start_ms=start_ms))


def test_a_leg_is_given_once() -> None:
    """Whoever claims it takes what is known of it along."""
    planned, facts = JustPlanned(), leg("a")
    planned.add(facts, [])

    assert planned.take("a") == (facts, [])
    assert planned.take("a") is None


def test_a_planner_far_ahead_is_told_so() -> None:
    """There is room for so many and no more, until one is sent."""
    planned = JustPlanned()
    for number in range(MOST + 5):
        planned.add(leg(str(number)), [])
    full = planned.is_full(0)
    planned.take("0")

    assert (full, planned.is_full(0)) == (True, False)
    assert planned.take(str(MOST + 1)) is None


def test_what_another_worker_sent_makes_room() -> None:
    """Nobody here claims it: after a moment it is forgotten."""
    planned = JustPlanned()
    for number in range(MOST):
        planned.add(leg(str(number), start_ms=float(number)), [])

    assert planned.is_full(LONGEST)
    assert not planned.is_full(LONGEST + 10.5)
    assert planned.take("10") is None
    assert planned.take("11") is not None
