"""What of a leg nobody looks after."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Class
from relay.fanout.coverage import Range, in_doubt, orphans, overdue, receipts_due, states_of
from relay.store.cursor import Cursor
from relay.tracking.states import Flag, Record, State


def cursor(segment: int, position: int) -> Cursor:
    return Cursor(klass=Class.P1, segment=segment, position=position, expires=1, start=0, sizes=(4000, 4000))


def packed(*records: Record) -> bytes:
    return b"".join(record.pack() for record in records)


def test_range_reads_a_chunks_name() -> None:
    """A lease or retry entry names its range."""
    assert Range.of("leg|2|500|1000") == Range(2, 500, 1000)


def test_unwritten_records_are_queued() -> None:
    """A segment whose records were never made, or end early, waits."""
    assert states_of(b"", 3).tolist() == [0, 0, 0]
    assert states_of(packed(Record(state=State.DELIVERED)), 3).tolist() == [16, 0, 0]


@given(
    st.lists(st.sampled_from(State), max_size=60),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60), st.integers(0, 60)), max_size=4),
    st.integers(0, 1),
    st.integers(0, 60),
)
def test_orphans_are_exactly_what_nobody_holds(
    states: list[State], covered: list[tuple[int, int, int]], at_segment: int, at_position: int
) -> None:
    """A claimed delivery that is not final, not accepted, and in no lease or retry is found; nothing else is."""
    parts = [Range(s, min(a, b), max(a, b)) for s, a, b in covered]
    found = orphans(0, np.array(states, np.uint8), cursor(at_segment, at_position), parts)
    claimed = len(states) if at_segment > 0 else at_position
    lost = [
        p
        for p, state in enumerate(states)
        if p < claimed
        and not state.terminal
        and state is not State.ACCEPTED
        and not any(part.segment == 0 and part.first <= p < part.last for part in parts)
    ]

    assert [p for r in found for p in range(r.first, r.last)] == lost
    assert all(r.segment == 0 and r.first < r.last for r in found)


def test_ranges_are_no_longer_than_a_chunk() -> None:
    """What is queued again is cut into chunks of at most 500."""
    found = orphans(0, np.zeros(1200, np.uint8), cursor(1, 0), [])

    assert found == [Range(0, 0, 500), Range(0, 500, 1000), Range(0, 1000, 1200)]


def test_unclaimed_segment_has_no_orphans() -> None:
    """What the cursor has not reached is looked after by the cursor."""
    assert orphans(1, np.zeros(100, np.uint8), cursor(0, 50), []) == []


@pytest.mark.parametrize(("now", "late"), [(999, []), (1000, [0]), (1500, [0, 2]), (9999, [0, 1, 2])])
def test_receipt_deadlines(now: int, late: list[int]) -> None:
    """An accepted delivery is overdue when its own channel's deadline has passed."""
    records = packed(
        Record(state=State.ACCEPTED, channel=1, accepted=500),
        Record(state=State.ACCEPTED, channel=2, accepted=500),
        Record(state=State.ACCEPTED, channel=1, accepted=1000),
        Record(state=State.DELIVERED, channel=1, accepted=1),
        Record(state=State.SENDING, channel=1),
    )

    assert overdue(receipts_due(records, 8, deadlines=[(1, 500), (2, 5000)]), now=now) == late


def test_deadline_of_a_removed_channel() -> None:
    """A channel that was taken out of the configuration does not keep its deliveries open for ever."""
    records = packed(Record(state=State.ACCEPTED, channel=7, accepted=1))

    due = receipts_due(records, 1, deadlines=[(1, 500)])

    assert overdue(due, now=360_000) == []
    assert overdue(due, now=360_001) == [0]


def test_doubts_are_retries_whose_hand_over_may_have_arrived() -> None:
    """Only what waits to be tried again and was in doubt; what has ended has its own word."""
    doubted = Record(state=State.RETRYING, flags=Flag.IN_DOUBT)
    others = (Record(state=State.RETRYING), Record(state=State.DELIVERED, flags=Flag.IN_DOUBT))

    assert in_doubt(packed(others[0], doubted, *others), 6) == [1]
