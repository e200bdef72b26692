"""Who was told, or may have been: read from records, without those whose outcome is not known yet."""

from __future__ import annotations

import numpy as np
import pytest

from relay.fanout.coverage import Range
from relay.fanout.segment import Segment
from relay.fanout.told import pack_waits, read_waits, told_in
from relay.tracking.states import EMPTY, TOLD, Flag, Record, State

SEGMENT = Segment(np.arange(10, 16, dtype=np.uint32), np.zeros(6, np.uint8), np.arange(6, dtype=np.uint16), 0)


def records(*states: State) -> bytes:
    """Return records in these states; what follows was never written."""
    return b"".join(EMPTY if state is State.QUEUED else Record(state=state).pack() for state in states)


def told(data: bytes, *, only: list[Range] | None = None, leased: list[Range] | None = None) -> list[int]:
    """Return the ordinals."""
    return [int(o) for o in told_in(SEGMENT, data, only=only, leased=leased or []).ordinals]


@pytest.mark.parametrize("state", list(State))
def test_states_that_count(state: State) -> None:
    """Whoever was handed over, or is being so, is told; who was not sent anything is not."""
    assert told(records(state)) == ([10] if state in TOLD else [])


@pytest.mark.parametrize("state", [State.RETRYING, State.CANCELLED, State.EXPIRED, State.DEAD_LETTER, State.FAILED])
def test_doubt_counts_whatever_came_after_it(state: State) -> None:
    """A hand-over without an answer, put back for a retry: the person may have read it, and never heard of the cancel."""
    doubtful = Record(state=state, flags=Flag.IN_DOUBT | Flag.LATE_ANSWER).pack()
    plain = Record(state=state, flags=Flag.POSSIBLE_DUPLICATE).pack()

    assert told(plain + doubtful) == [11]


def test_nothing_written_is_nobody_told() -> None:
    """A segment that nobody has begun has no records at all."""
    assert told(b"") == []


def test_leased_ranges_wait() -> None:
    """Their outcome is not known: neither told nor missed, but looked at again."""
    data = records(*[State.DELIVERED] * 6)

    assert told(data, leased=[Range(0, 1, 3)]) == [10, 13, 14, 15]


def test_second_look_sees_only_what_waited() -> None:
    """Who was told of the cancel in the first round is not told again."""
    data = records(*[State.DELIVERED] * 6)

    assert told(data, only=[Range(0, 1, 4)], leased=[Range(0, 2, 3)]) == [11, 13]
    assert told(data, only=[]) == []


def test_variants_come_along() -> None:
    """The cancel knows which info each of them had read."""
    found = told_in(SEGMENT, records(State.QUEUED, State.DELIVERED), only=None, leased=[])

    assert (found.ordinals.tolist(), found.slots.tolist(), found.infos.tolist()) == ([11], [0], [1])


def test_waits_are_read_back() -> None:
    """What is left to look at survives the planner."""
    waits = {"leg": [Range(0, 0, 500), Range(3, 5, 6)], "other": [Range(1, 2, 3)]}

    assert read_waits(pack_waits(waits)) == waits
    assert (pack_waits({}), read_waits("")) == ("", {})


def test_whoever_a_leg_has_not_reached_again_may_have_been_told_before() -> None:
    """The store was lost, the leg planned anew, and cancelled half-way: those who come last had heard of it once."""
    pairs = told_in(SEGMENT, records(State.DELIVERED), only=None, leased=[Range(0, 1, 2)], again=True)

    assert pairs.ordinals.tolist() == [10, 12, 13, 14, 15]
