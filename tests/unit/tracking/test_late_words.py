"""Late words: durable, merged on reading, counted, and of no other archiving than theirs."""

from pathlib import Path

import pytest

from relay.tracking import late_words
from relay.tracking.archive_file import ArchivedLeg
from relay.tracking.late_words import LateWord
from relay.tracking.states import Record, State

ANSWER = Record(state=State.ACKNOWLEDGED, answer=1, due=9)
SENT = Record(state=State.DELIVERED, ended=4)


def word(rank: int = 1, *, was: State = State.DELIVERED, record: Record = ANSWER, archived_ms: int = 5) -> LateWord:
    return LateWord(leg_id="leg", rank=rank, record=record, was=was, at_ms=7, archived_ms=archived_ms)


def test_words_are_read_as_written(tmp_path: Path) -> None:
    """Each word is a line, in its order."""
    for rank in (3, 1):
        late_words.append(tmp_path / "x", word(rank))

    assert late_words.read(tmp_path / "x", archived_ms=5) == [word(3), word(1)]
    assert late_words.read(tmp_path / "other", archived_ms=5) == []


def test_torn_line_is_left_out(tmp_path: Path) -> None:
    """A word that was being written when the machine died was never confirmed; the next is not glued to it."""
    late_words.append(tmp_path / "x", word(1))
    path = late_words.path_of(tmp_path / "x")
    path.write_bytes(path.read_bytes() + b'{"leg": "le')
    late_words.append(tmp_path / "x", word(2))

    assert [w.rank for w in late_words.read(tmp_path / "x", archived_ms=5)] == [1, 2]


def test_words_of_an_earlier_archiving_do_not_count_twice(tmp_path: Path) -> None:
    """An alert that came back and was archived again has the old words in its records."""
    late_words.append(tmp_path / "x", word(1, archived_ms=4))

    assert late_words.read(tmp_path / "x", archived_ms=5) == []


def test_records_are_merged() -> None:
    """A word changes its delivery by the merge table, and no other."""
    found = late_words.merged(SENT.pack() * 3, [(1, ANSWER), (1, SENT)])

    assert [Record.unpack(found[i : i + 24]).state for i in (0, 24, 48)] == [
        State.DELIVERED,
        State.ACKNOWLEDGED,
        State.DELIVERED,
    ]


@pytest.mark.parametrize(
    ("facts", "was", "after"),
    [
        ({"n16": "3"}, State.DELIVERED, {"n16": "2", "n17": "1"}),
        ({"n10": "3", "rest": "10"}, State.QUEUED, {"n10": "2", "n17": "1", "rest": "10"}),
        ({}, State.QUEUED, {"n17": "1"}),
    ],
)
def test_counters_follow(facts: dict[str, str], was: State, after: dict[str, str]) -> None:
    """Counts stay the sum of the deliveries, as the script in Redis counts them."""
    legs = late_words.counted([ArchivedLeg("leg", facts, b"")], [word(was=was)])

    assert legs[0].facts == after
