"""What of a chunk is handed over, and what is in doubt."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.adapter import Class, Kind
from relay.fanout.retry import resend_in_doubt
from relay.fanout.selection import INTENT_STEP, STEP, give_up, select
from relay.tracking.reasons import reason_of
from relay.tracking.states import Flag, Record, State

NOW = 1000
cells = st.builds(
    Record,
    state=st.sampled_from(State),
    send=st.integers(0, 3),
    due=st.sampled_from([0, 1, NOW, NOW + 1]),
    flags=st.sampled_from([Flag(0), Flag.IN_DOUBT]),
)
chunks = st.dictionaries(st.integers(0, 3999), cells, max_size=30)
ways = st.sampled_from(["fresh", "retry", "again"])


def test_steps_bound_what_is_in_doubt() -> None:
    """At most 256 are unsettled, 64 where a copy cannot be taken back (design §9)."""
    assert (STEP, INTENT_STEP) == (256, 64)


@given(chunks, ways, st.sampled_from(Kind), st.sampled_from(Class), st.booleans())
def test_every_record_has_one_fate(
    records: dict[int, Record], how: str, kind: Kind, klass: Class, idempotent: bool
) -> None:
    """What waits is sent, what is due is sent, doubts follow the policy, all else is left alone."""
    chosen = select(records, how=how, kind=kind, klass=klass, idempotent=idempotent, now=NOW)
    for position, record in records.items():
        waits = record.state is State.QUEUED or (record.state is State.RETRYING and record.due <= NOW)
        doubt = record.state is State.SENDING
        resend = resend_in_doubt(kind, klass, idempotent=idempotent, again=bool(record.flags & Flag.IN_DOUBT))

        assert (position in chosen.to_send) == (waits or (doubt and resend))
        assert (position in chosen.settled) == (doubt and not resend)
        assert (position in chosen.maybe) == (waits and how == "again")
    assert list(chosen.to_send) == [p for p in records if p in chosen.to_send]


@given(chunks, ways, st.booleans())
def test_stopped_chunk_sends_nothing(records: dict[int, Record], how: str, idempotent: bool) -> None:
    """Of a stopped leg only doubts are written; who waits is read as the leg's end."""
    settled = give_up(records, how=how, idempotent=idempotent, now=NOW)
    for position, record in records.items():
        waits = record.state in (State.QUEUED, State.RETRYING) and record.due <= NOW
        maybe = waits and how == "again" and idempotent

        assert (position in settled) == (record.state is State.SENDING or maybe)
    assert {(r.state, reason_of(r.reason)) for r in settled.values()} <= {(State.POSSIBLY_SENT, "worker_lost")}


@pytest.mark.parametrize("how", ["fresh", "retry", "again"])
def test_only_a_dead_workers_first_batch_is_in_doubt(how: str) -> None:
    """A worker settles a batch before it begins the next: of those that still wait, the first 256 may have left."""
    records = {p: Record(state=State.DELIVERED) if p < 100 else Record() for p in range(500)}
    chosen = select(records, how=how, kind=Kind.WEBHOOK, klass=Class.P1, idempotent=True, now=NOW)
    stopped = give_up(records, how=how, idempotent=True, now=NOW)

    assert chosen.maybe == (frozenset(range(100, 356)) if how == "again" else frozenset())
    assert set(stopped) == set(chosen.maybe)
    assert list(chosen.to_send) == list(range(100, 500))


@pytest.mark.parametrize(("kind", "klass"), list(product(Kind, Class)))
def test_doubt_is_marked_before_it_is_resent(kind: Kind, klass: Class) -> None:
    """What a worker had begun when it died carries the doubt on, whether it is resent or ends."""
    chosen = select(
        {0: Record(state=State.SENDING, send=1)}, how="again", kind=kind, klass=klass, idempotent=False, now=NOW
    )
    record = {**chosen.to_send, **chosen.settled}[0]

    assert record.flags & Flag.IN_DOUBT
    assert record.state is (State.SENDING if chosen.to_send else State.POSSIBLY_SENT)
