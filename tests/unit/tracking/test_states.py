"""The merge table: the same truth in whatever order and however often it is told."""

import struct
from dataclasses import fields, replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.tracking.states import (
    EMPTY,
    FIVE_WORDS,
    RECORD_BYTES,
    TOLD,
    Flag,
    Record,
    State,
    beats,
    effective,
    merge,
)

byte = st.integers(0, 255)
word = st.one_of(st.just(0), st.integers(0, 2**32 - 1))
records = st.builds(
    Record,
    state=st.sampled_from(State),
    attempt=byte,
    send=st.integers(0, 4),
    channel=byte,
    reason=byte,
    flags=st.sampled_from([Flag(n) for n in range(8)]),
    answer=st.integers(0, 9),
    accepted=word,
    ended=word,
    due=word,
    provider=word,
)


def rank(record: Record) -> tuple[int, int, int]:
    """Return the strength in words of design §5: terminal strength, send number, the state's order."""
    return (record.state if record.state >= 8 else 0, record.send, record.state)


@given(records)
def test_record_survives_storage(record: Record) -> None:
    """A record reads back as it was written, in 24 bytes."""
    assert len(record.pack()) == RECORD_BYTES == 24
    assert Record.unpack(record.pack()) == record


@given(records, st.integers(0, 2**32 - 1))
def test_copy_for_a_provider_differs_in_nothing_else(record: Record, provider: int) -> None:
    """The copy of a record with another id's hash has every other field of it."""
    assert record.of_provider(provider) == replace(record, provider=provider)


def test_layout_is_fixed() -> None:
    """The layout is that of stored data: bytes first, then four little-endian words."""
    record = Record(
        state=State.ACCEPTED,
        attempt=2,
        send=3,
        channel=4,
        reason=5,
        flags=Flag.IN_DOUBT,
        answer=7,
        accepted=0x01020304,
        ended=0x11121314,
        due=0x21222324,
        provider=0x31323334,
    )

    assert record.pack().hex() == "0302030405020700" + "04030201" + "14131211" + "24232221" + "34333231"


def test_never_written_is_queued() -> None:
    """Zeros are a delivery that waits: a segment's records need no initial write."""
    assert Record().pack() == EMPTY
    assert Record.unpack(EMPTY) == Record()


def test_counters_stop_at_a_byte() -> None:
    """After 255 attempts the numbers stay there instead of failing."""
    stored = Record.unpack(Record(attempt=300, send=1000).pack())

    assert (stored.attempt, stored.send) == (255, 255)


@pytest.mark.parametrize("size", [0, 23, 25])
def test_other_length_is_refused(size: int) -> None:
    """Half a record is an error, not a delivery."""
    with pytest.raises(struct.error):
        Record.unpack(bytes(size))


@given(records, records)
def test_merge_is_idempotent(old: Record, new: Record) -> None:
    """Telling the same twice, or again after more is known, changes nothing (but an answer may be given again)."""
    once = merge(old, new)

    assert merge(once, new) == once
    assert merge(once, once) == once


@given(records, records)
def test_merge_commutes_in_state(old: Record, new: Record) -> None:
    """Whoever comes first, the state, the numbers, the flags and the time of acceptance are the same."""
    there, back = merge(old, new), merge(new, old)

    assert there.state == back.state
    assert (there.send, there.attempt, there.flags) == (back.send, back.attempt, back.flags)
    assert there.accepted == back.accepted or Record() in (old, new)


@given(st.lists(records, min_size=3, max_size=3))
def test_state_does_not_depend_on_the_order(three: list[Record]) -> None:
    """Three writers in any order end in the same terminal state, if there is one."""
    found = set()
    for a, b, c in permutations(three):
        found.add(merge(merge(a, b), c).state)
    terminal = [r.state for r in three if r.state.terminal]

    assert not terminal or found == {max(terminal)}


@given(records, records)
def test_never_backwards(old: Record, new: Record) -> None:
    """What is known is never taken back: rank, flags, times and ids only grow."""
    merged = merge(old, new)

    assert rank(merged) >= max(rank(old), rank(new))
    assert merged.flags == old.flags | new.flags
    assert not old.state.terminal or merged.state >= old.state
    for name in ("accepted", "ended", "provider", "channel", "answer"):
        assert getattr(merged, name) or not getattr(old, name), name


@given(records, records)
def test_beats_is_strict(a: Record, b: Record) -> None:
    """Of two records at most one is stronger; equal ranks leave things as they are."""
    assert not (beats(a, b) and beats(b, a))
    assert beats(a, b) == (rank(a) > rank(b))


@given(records)
@settings(max_examples=50)
def test_first_word_is_taken_whole(new: Record) -> None:
    """Nothing was known: what is told is stored as it is, the way the script writes into an empty range."""
    assert merge(Record(), new) == new


@pytest.mark.parametrize("weaker", [s for s in State if s.terminal])
@pytest.mark.parametrize("stronger", [s for s in State if s.terminal])
def test_terminal_strength(weaker: State, stronger: State) -> None:
    """Acknowledged beats delivered beats failed … beats suppressed, whatever the send numbers say."""
    merged = merge(Record(state=weaker, send=9), Record(state=stronger, send=1))

    assert merged.state is max(weaker, stronger)


@pytest.mark.parametrize("state", [s for s in State if not s.terminal])
def test_late_receipt_ends_what_is_tried_again(state: State) -> None:
    """A receipt carries no send number, and still ends a delivery that was handed over many times."""
    merged = merge(Record(state=state, send=7, channel=2, provider=5), Record(state=State.DELIVERED, ended=40))

    assert (merged.state, merged.send, merged.ended, merged.provider) == (State.DELIVERED, 7, 40, 5)


def test_receipt_keeps_the_channel() -> None:
    """A receipt names no channel, and the report still says which one carried the delivery (it was 0 afterwards)."""
    merged = merge(Record(state=State.ACCEPTED, send=1, channel=3), Record(state=State.DELIVERED, ended=40))

    assert merged.channel == 3


def test_next_hand_over_beats_the_last_retry() -> None:
    """``sending`` of the second hand-over is stronger than ``retrying`` of the first, and weaker than its own end."""
    first = Record(state=State.RETRYING, send=1, due=100)
    second = Record(state=State.SENDING, send=2)

    assert merge(first, second).state is State.SENDING
    assert merge(second, first).state is State.SENDING
    assert merge(second, replace(second, state=State.RETRYING, due=300)).due == 300


def test_later_answer_replaces_the_first() -> None:
    """A responder may correct the answer; the time of the first one stays."""
    first = merge(Record(state=State.DELIVERED, send=1), Record(state=State.ACKNOWLEDGED, answer=1, due=10))
    second = merge(first, Record(state=State.ACKNOWLEDGED, answer=2, due=50))

    assert (second.state, second.answer, second.due) == (State.ACKNOWLEDGED, 2, 10)


def test_first_acceptance_stays() -> None:
    """The time of the first acceptance is kept when a copy was accepted later."""
    merged = merge(Record(state=State.ACCEPTED, send=2, accepted=90), Record(state=State.ACCEPTED, send=1, accepted=20))

    assert (merged.send, merged.accepted) == (2, 20)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("closed", [None, State.CANCELLED, State.EXPIRED])
def test_closed_leg_needs_no_write(state: State, closed: State | None) -> None:
    """In a closed leg what waits is read as the leg's end; what began or ended is read as it is."""
    waits = state in (State.QUEUED, State.RETRYING)

    assert effective(state, closed) is (closed if closed is not None and waits else state)


def test_every_state_has_a_word_for_people() -> None:
    """The five words, and "not sent", cover every state (design §18)."""
    assert set(FIVE_WORDS) == set(State)
    assert len(set(FIVE_WORDS.values())) == 6


def test_audience_of_a_cancel() -> None:
    """Who was or may have been told hears of the cancel, and nobody who surely was not."""
    assert {s.word for s in TOLD} == {
        "sending",
        "accepted",
        "possibly_sent",
        "delivered_unconfirmed",
        "delivered",
        "acknowledged",
    }


def test_numbers_are_stored() -> None:
    """Numbers stand in records on disk: they may never change, and terminal begins at 8."""
    numbers = {s.word: int(s) for s in State}

    assert numbers == {
        "queued": 0,
        "sending": 1,
        "retrying": 2,
        "accepted": 3,
        "suppressed": 8,
        "simulated": 9,
        "cancelled": 10,
        "expired": 11,
        "dead_letter": 12,
        "possibly_sent": 13,
        "delivered_unconfirmed": 14,
        "failed": 15,
        "delivered": 16,
        "acknowledged": 17,
    }
    assert [s.terminal for s in State] == [int(s) >= 8 for s in State]
    assert len(fields(Record)) == 12
