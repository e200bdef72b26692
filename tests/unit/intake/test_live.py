"""What of the journal is told to Redis again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from relay.intake.frames import Frame
from relay.intake.live import APPLIED, IMPORTED, Entry, read
from relay.intake.records import (
    AcceptRecord,
    ControlRecord,
    DirectoryRecord,
    KeyRecord,
    MarkRecord,
    Record,
    encode,
    frame_type_of,
)
from relay.testing.clocks import START


def frames(*records: Record) -> list[Frame]:
    """Return records as frames, numbered from 1."""
    return [Frame(n, int(frame_type_of(r)), encode(r)) for n, r in enumerate(records, start=1)]


def an_accept(alert_id: str = "a") -> AcceptRecord:
    return AcceptRecord(alert_id=alert_id, received_at=START, key_id="k", agency="meteo", content_type="text/xml")


def an_edit(op: str, recipient: str = "r1", **json: Any) -> DirectoryRecord:
    return DirectoryRecord(op=op, id=recipient, json=json, at=START)


def a_switch(op: str, channel: str = "") -> ControlRecord:
    return ControlRecord(op=op, channel=channel, reason="", by="k", at=START)


def a_mark(note: str, **values: Any) -> MarkRecord:
    return MarkRecord(at=START, note=note, values=values)


def numbers(entries: tuple[Entry, ...]) -> list[int]:
    return [entry.number for entry in entries]


def test_everything_is_told_in_its_order() -> None:
    """An empty journal tells nothing; alerts are told in the order in which they came, marks never."""
    empty = read([], lost=False)
    reading = read(frames(an_accept("a"), a_mark("probe"), an_accept("b")), lost=False)

    assert (empty.entries, empty.applied, empty.newest) == ((), 0, None)
    assert numbers(reading.entries) == [1, 3]
    assert [entry.again for entry in reading.entries] == [False, False]


def test_what_redis_confirmed_is_told_as_a_repetition() -> None:
    """The note tells "lost" from "not yet": only what Redis had confirmed may come twice."""
    reading = read(
        frames(an_accept("a"), an_accept("b"), an_accept("c"), a_mark(APPLIED, applied=2, open=[1])), lost=False
    )

    assert [(e.number, e.again) for e in reading.entries] == [(1, False), (2, True), (3, False)]
    assert reading.applied == 2


def test_last_note_counts() -> None:
    """An older note does not reopen what a newer one closed."""
    journal = frames(an_accept("a"), a_mark(APPLIED, applied=1, open=[1]), a_mark(APPLIED, applied=1, open=[]))

    assert [e.again for e in read(journal, lost=False).entries] == [True]


def test_after_a_loss_everything_is_a_repetition() -> None:
    """What this process knows to have told may have been sent already."""
    assert [e.again for e in read(frames(an_accept("a"), an_accept("b")), lost=True).entries] == [True, True]


def test_only_the_last_edit_of_a_recipient_is_told() -> None:
    """Replaying "put, delete, put" gave the recipient a new ordinal at every start: legs in flight then missed him."""
    journal = frames(an_edit("put", name="old"), an_edit("delete"), an_edit("put", name="new"), an_edit("put", "r2"))

    assert numbers(read(journal, lost=False).entries) == [3, 4]


def test_only_the_last_word_on_a_switch_is_told() -> None:
    """A stop that was lifted must not stop the relay again at each start, and one channel is not another."""
    journal = frames(a_switch("stop"), a_switch("pause", "sms"), a_switch("resume"), a_switch("pause", "email"))

    assert numbers(read(journal, lost=False).entries) == [2, 3, 4]


def test_only_the_last_word_on_a_key_is_told() -> None:
    """A revoked key is not let in again, not even for the moment between two records."""
    journal = frames(
        KeyRecord(entry={"key_id": "k1"}, at=START), KeyRecord(entry={"key_id": "k1", "revoked": "now"}, at=START)
    )

    assert numbers(read(journal, lost=False).entries) == [2]


def test_an_edit_does_not_undo_a_later_import() -> None:
    """An edit from Monday, told again at a restart, put the old number back that Tuesday's import had replaced."""
    journal = frames(
        an_edit("put", "r1"),
        an_edit("put", "r2"),
        a_mark(APPLIED, applied=1, open=[]),
        a_mark(IMPORTED, before=2),
        an_edit("put", "r3"),
    )

    assert numbers(read(journal, lost=False).entries) == [2, 5]  # r2 was never confirmed: it is told


def test_newest_stamp_is_found() -> None:
    """The clock is judged by the newest stamp, wherever it stands."""
    later = MarkRecord(at=START + timedelta(hours=1), note="probe")

    assert read(frames(later, an_accept()), lost=False).newest == START + timedelta(hours=1)


def test_unreadable_record_is_left_in_the_journal() -> None:
    """A record of a newer relay does not keep the others from being told."""
    journal = [Frame(1, 99, b"?"), *frames(an_accept(), an_accept("b"))[1:]]

    assert numbers(read(journal, lost=False).entries) == [2]
