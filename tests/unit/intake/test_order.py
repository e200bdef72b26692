"""The order in which records are told: what ends something before it, however many words end each other."""

from collections.abc import Sequence
from datetime import UTC, datetime

from relay.adapter import Class
from relay.intake.live import Entry, Reading
from relay.intake.order import NEVER, ends_of, rank_of
from relay.intake.records import AcceptRecord, DirectoryRecord

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_word(number: int, k1: str, *refers: str, klass: Class = Class.P2, state: str = "accepted") -> Entry:
    record = AcceptRecord(
        alert_id=k1,
        received_at=NOW,
        key_id="k",
        agency="meteo",
        content_type="text/xml",
        klass=klass,
        k1=k1,
        refers=list(refers),
        state=state,
    )
    return Entry(number, record, again=True)


def reading(*entries: Entry) -> Reading:
    return Reading(tuple(entries), 9, NOW)


def order(entries: Sequence[Entry]) -> list[str]:
    """Return the k1 digests in the order in which they would be told."""
    over = ends_of(reading(*entries))
    records = [entry.record for entry in entries if isinstance(entry.record, AcceptRecord)]
    return [r.k1 for r in sorted(records, key=lambda r: max(rank_of(r, again=True), over.get(r.k1, NEVER).rank))]


def test_a_cancel_is_told_before_what_it_ends() -> None:
    """The alert is a flash, the cancel a low word: the alert waits for it, wherever that is told."""
    entries = [a_word(1, "flood", klass=Class.P0), a_word(2, "cancel", "flood", klass=Class.P4)]

    assert order(entries) == ["cancel", "flood"]
    assert ends_of(reading(*entries))["flood"].words == {2}


def test_a_chain_is_told_from_its_end() -> None:
    """What was updated, and the update cancelled: only the last word is waited for, the others come behind it."""
    entries = [a_word(1, "flood"), a_word(2, "update", "flood"), a_word(3, "cancel", "update")]
    over = ends_of(reading(*entries))

    assert order(entries) == ["cancel", "update", "flood"]
    assert [sorted(over[k1].words) for k1 in ("update", "flood")] == [[3], []]


def test_words_that_end_each_other_wait_for_nobody() -> None:
    """Two updates that name each other as their past: both are told."""
    over = ends_of(reading(a_word(1, "a", "b"), a_word(2, "b", "a")))

    assert {end.words for end in over.values()} == {frozenset()}


def test_what_was_held_ends_nothing() -> None:
    """A cancel that nobody has approved silences nobody."""
    assert ends_of(reading(a_word(1, "flood"), a_word(2, "cancel", "flood", state="held"))) == {}


def test_edits_of_the_directory_come_before_alerts() -> None:
    """Alerts are matched against them; old ones let a flash pass."""
    edit = DirectoryRecord(op="put", id="r", json={}, at=NOW)

    assert rank_of(edit, again=False) < rank_of(a_word(1, "flash", klass=Class.P0).record, again=False)
    assert rank_of(edit, again=True) > rank_of(a_word(1, "flash", klass=Class.P0).record, again=False)
