"""The archive's file: what is written is read, piece by piece, and damage is seen."""

import gzip
from pathlib import Path

import numpy as np
import orjson
import pytest

from relay.adapter import Class
from relay.store.cursor import Cursor
from relay.tracking.archive_file import (
    VERSION,
    ArchivedLeg,
    Header,
    NamedSegment,
    Piece,
    Writer,
    leg_from,
    read_header,
    read_piece,
)
from relay.tracking.archive_rows import rows
from relay.tracking.states import Record, State

LEG = "abcdefghijklm"
CURSOR = Cursor(klass=Class.P1, expires=9e12, start=1e12, sizes=(3, 2))
FACTS = {"alert": "a", "kind": "sms", "n16": "5", "done": "1", "channels": '{"sms-1":1}'}


def archived() -> ArchivedLeg:
    return ArchivedLeg(LEG, FACTS, CURSOR.pack())


def header(**changes: object) -> Header:
    values: dict[str, object] = {
        "alert_id": "a",
        "archived_ms": 5,
        "node": "n",
        "facts": {"id": "a", "received": "7"},
        "raw": b"\xff<alert/>",
        "legs": [archived()],
    }
    return Header(**{**values, **changes})  # type: ignore[arg-type]


def records(count: int) -> bytes:
    return b"".join(
        Record(state=State.DELIVERED, send=1, channel=1, ended=n + 1, provider=n).pack() for n in range(count)
    )


def written(path: Path) -> Path:
    writer = Writer(path)
    for number, count in enumerate(CURSOR.sizes):
        ordinals = np.arange(number * 100, number * 100 + count, dtype=np.uint32)
        names = tuple(f"person-{n}" for n in ordinals)
        segment = NamedSegment(ordinals, np.ones(count, np.uint8), np.full(count, 2, np.uint16), number, names)
        piece = Piece(segment, records(count), b"log")
        writer.add(LEG, piece, rows(leg_from(archived()), piece, {1: "sms-1"}))
    writer.finish(header())
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Header and segments come back as they were; each segment by itself."""
    path = written(tmp_path / "day" / "x.jsonl.gz")
    found = read_header(path)
    last = read_piece(path, found, found.stretches[1])

    assert (found.alert_id, found.facts, found.raw) == ("a", {"id": "a", "received": "7"}, b"\xff<alert/>")
    assert leg_from(found.legs[0]) == leg_from(archived())
    assert (last.segment.number, last.log, last.records) == (1, b"log", records(2))
    assert last.segment.ordinals.tolist() == [100, 101]
    assert last.segment.slots.tolist() == [1, 1]
    assert last.segment.variants.tolist() == [2, 2]
    assert last.segment.names == ("person-100", "person-101")


def test_rows_are_those_of_the_api(tmp_path: Path) -> None:
    """A line says what the API says of a delivery."""
    path = written(tmp_path / "x.jsonl.gz")
    with gzip.open(path) as file:
        row = [orjson.loads(line) for line in file][4]

    assert (row["id"], row["recipient"], row["channel"]) == (f"{LEG}-2", "person-2", "sms-1")
    assert (row["state"], row["kind"]) == ("delivered", "sms")


def test_nothing_stands_there_before_the_end(tmp_path: Path) -> None:
    """A writer that is abandoned leaves nothing, neither a file nor half of one."""
    writer = Writer(tmp_path / "x.jsonl.gz")
    nobody = NamedSegment(np.zeros(0, np.uint32), np.zeros(0, np.uint8), np.zeros(0, np.uint16), 0, ())
    writer.add(LEG, Piece(nobody, b"", b""), [])
    before = (tmp_path / "x.jsonl.gz").exists()
    writer.abandon()

    assert not before
    assert list(tmp_path.iterdir()) == []


def test_second_writing_replaces_the_first(tmp_path: Path) -> None:
    """An alert that is archived again has one file, the newer."""
    path = written(tmp_path / "x.jsonl.gz")
    writer = Writer(path)
    writer.finish(header(archived_ms=6, legs=[]))

    assert read_header(path).archived_ms == 6
    assert [p.name for p in tmp_path.iterdir()] == ["x.jsonl.gz"]


@pytest.mark.parametrize("cut", [10, 200])
def test_torn_file_is_seen(tmp_path: Path, cut: int) -> None:
    """A file that ends too early is an error, not an empty alert."""
    path = written(tmp_path / "x.jsonl.gz")
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(ValueError, match="ends in its header"):
        read_header(path)


def test_damage_is_seen(tmp_path: Path) -> None:
    """Changed bytes do not pass: gzip counts."""
    path = written(tmp_path / "x.jsonl.gz")
    found = read_header(path)
    data = bytearray(path.read_bytes())
    data[found.body_at + 15] ^= 255
    path.write_bytes(data)

    with pytest.raises(ValueError, match="damaged"):
        read_piece(path, found, found.stretches[0])


def test_later_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a newer relay is left alone instead of half understood."""
    monkeypatch.setattr("relay.tracking.archive_file.VERSION", VERSION + 1)
    path = written(tmp_path / "x.jsonl.gz")
    monkeypatch.undo()

    with pytest.raises(ValueError, match="version"):
        read_header(path)
