"""The outcome log: provider ids and attempts, appended."""

from hypothesis import given
from hypothesis import strategies as st

from relay.fanout.outcome_log import Entry, accepted, entries
from relay.tracking.states import State

entry = st.builds(
    Entry,
    position=st.integers(0, 3999),
    state=st.sampled_from(State),
    send=st.integers(0, 255),
    channel=st.integers(0, 255),
    reason=st.integers(0, 255),
    at=st.integers(0, 2**32 - 1),
    text=st.text(max_size=60),
)


@given(st.lists(entry, max_size=20))
def test_log_reads_back(told: list[Entry]) -> None:
    """Entries read back in the order in which they were appended."""
    assert list(entries(b"".join(e.pack() for e in told))) == told


@given(st.lists(entry, min_size=1, max_size=5), st.integers(1, 10))
def test_torn_end_is_ignored(told: list[Entry], cut: int) -> None:
    """A log that ends within an entry's head gives what is whole."""
    log = b"".join(e.pack() for e in told[:-1]) + told[-1].pack()[:cut]

    assert list(entries(log)) == told[:-1]


def test_torn_text_is_ignored() -> None:
    """An entry whose text is cut off is not whole either: half a provider id would name another message."""
    whole = Entry(position=1, state=State.ACCEPTED, send=1, channel=1, reason=0, at=5, text="provider-id")

    assert list(entries(whole.pack()[:-3])) == []


def test_long_text_is_cut() -> None:
    """Text is cut to 255 bytes, and never in a way that breaks the next entry."""
    long = Entry(position=1, state=State.FAILED, send=300, channel=1, reason=0, at=5, text="ы" * 200)
    next_one = Entry(position=2, state=State.FAILED, send=1, channel=1, reason=0, at=6)
    found = list(entries(long.pack() + next_one.pack()))

    assert found[0].text.startswith("ы" * 127)
    assert len(found[0].text) <= 128
    assert found[0].send == 255
    assert found[1] == next_one


def usual(ids: list[tuple[int, str]]) -> list[Entry]:
    return [
        Entry(position=position, state=State.ACCEPTED, send=0, channel=0, reason=0, at=0, text=text)
        for position, text in ids
    ]


def run_from(first: int, texts: list[str]) -> list[tuple[int, str]]:
    return [(first + number, text) for number, text in enumerate(texts)]


some_ids = st.lists(st.text("abcdef0123456789XYZ-_", min_size=1, max_size=36), max_size=5)
runs = st.builds(run_from, st.integers(0, 3990), some_ids)
both = st.lists(
    st.one_of(entry.map(lambda e: (e.pack(), [e])), runs.map(lambda ids: (accepted(ids), usual(ids)))), max_size=8
)


@given(both)
def test_usual_and_whole_entries_share_a_log(told: list[tuple[bytes, list[Entry]]]) -> None:
    """What an older worker wrote and what this one writes stand in one log, in any order."""
    log = b"".join(packed for packed, _ in told)

    assert list(entries(log)) == [one for _, some in told for one in some]


@given(st.lists(st.tuples(st.integers(0, 3999), st.sampled_from(["1234", "00ff", "FF", "x.y", "ы"])), max_size=40))
def test_ids_in_any_order_read_back(ids: list[tuple[int, str]]) -> None:
    """Gaps, repetitions and ids of other lengths end a run and lose nothing."""
    assert list(entries(accepted(ids))) == usual(ids)


@given(both, st.integers(1, 60), st.data())
def test_torn_run_is_ignored(told: list[tuple[bytes, list[Entry]]], count: int, data: st.DataObject) -> None:
    """A log cut anywhere within a run gives all before it, and never half an id."""
    run = accepted([(n, f"{n:06x}") for n in range(count)])
    cut = data.draw(st.integers(0, len(run) - 1))
    log = b"".join(packed for packed, _ in told) + run[:cut]

    assert list(entries(log)) == [one for _, some in told for one in some]


def test_usual_entries_are_small() -> None:
    """A batch of ids of sixteen hexadecimal digits takes eight bytes each, and four for all of them."""
    ids = [(n, f"8f14e45fceea{n:04x}") for n in range(64)]

    assert len(accepted(ids)) == 4 + 64 * 8


def test_long_runs_are_cut() -> None:
    """The length of a run is a byte: what is beyond begins another one."""
    ids = [(n, f"{n:08}") for n in range(3000)]

    assert list(entries(accepted(ids))) == usual(ids)


def test_first_version_is_read() -> None:
    """The bytes of the first version, as they stand in Redis and in archives, keep their meaning."""
    first = bytes.fromhex("9f0f 03 02 04 00 2c010000 03") + b"a-1"

    assert list(entries(first)) == [
        Entry(position=3999, state=State.ACCEPTED, send=2, channel=4, reason=0, at=300, text="a-1")
    ]
