"""What the journal remembers comes back as it was, also from an older relay."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest

from relay.intake.frames import Frame, FrameType
from relay.intake.records import (
    AcceptRecord,
    AckRecord,
    ApprovalRecord,
    CancelRecord,
    ControlRecord,
    DirectoryRecord,
    KeyRecord,
    MarkRecord,
    Record,
    decode,
    decode_as,
    encode,
    frame_type_of,
)

AT = datetime(2026, 3, 1, 3, 12, 40, 123456, tzinfo=UTC)

ACCEPT = AcceptRecord(
    alert_id="abcdefghijklmnopqrstuvwxyz",
    received_at=AT,
    key_id="k3y",
    agency="Гидромет",
    content_type="application/cap+xml",
    charset="windows-1251",
    strict=True,
    test_mode=True,
    partition=7,
    k0="00",
    k1="11",
    k2="22",
    klass="P0",
    state="held",
    reason="clock_doubt",
    expires=AT.astimezone(timezone(timedelta(hours=5))),
    raw="<alert>сель</alert>".encode("cp1251") + b"\x00\xff{",
)
RECORDS: list[Record] = [
    ACCEPT,
    AcceptRecord(alert_id="a", received_at=AT, key_id="k", agency="x", content_type="application/json"),
    CancelRecord(alert_id="a", cancel_id="c", reason="ошибка", by="k", agency="x", at=AT),
    ApprovalRecord(alert_id="a", decision="approve", reason="", by="k", at=AT),
    ControlRecord(op="pause", channel="sms-primary", reason="", by="k", at=AT),
    KeyRecord(entry={"key_id": "k", "senders": ["*@meteo.example"]}, at=AT),
    DirectoryRecord(op="put", id="almaty-rescue-7", json={"languages": ["kk"]}, at=AT),
    AckRecord(delivery_id="d-1", answer="1", at=AT, via="link"),
    MarkRecord(at=AT, note="probe"),
]


def frame(record: Record) -> Frame:
    return Frame(seq=5, type=frame_type_of(record), payload=encode(record))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_round_trip(record: Record) -> None:
    """Every record comes back equal, with its texts, instants and bytes."""
    assert decode(frame(record)) == record


def test_every_record_has_its_own_frame_type() -> None:
    """No two kinds of record share a frame type."""
    kinds = {type(record) for record in RECORDS}

    assert len({frame_type_of(record) for record in RECORDS}) == len(kinds) == 8


def test_a_record_of_an_older_relay_takes_defaults() -> None:
    """Fields that did not exist yet take their defaults; fields we no longer know are ignored."""
    header = orjson.dumps(
        {"alert_id": "a", "received_at": AT, "key_id": "k", "agency": "x", "content_type": "t", "colour": "red"}
    )
    payload = struct.pack("<BI", 1, len(header)) + header + b"raw"

    record = decode_as(Frame(1, FrameType.ACCEPT, payload), AcceptRecord)

    assert record == AcceptRecord(alert_id="a", received_at=AT, key_id="k", agency="x", content_type="t", raw=b"raw")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Frame(5, FrameType.ACCEPT, b""), "no AcceptRecord"),
        (Frame(5, FrameType.ACCEPT, b"\x01\xff\xff\xff\x00{"), "no AcceptRecord"),
        (Frame(5, FrameType.ACCEPT, b"\x01\x02\x00\x00\x00{}"), "no AcceptRecord"),
        (Frame(5, FrameType.ACCEPT, b"\x01\x02\x00\x00\x00[]"), "no AcceptRecord"),
        (Frame(5, FrameType.ACCEPT, b"\x02\x02\x00\x00\x00{}"), "newer relay"),
        (Frame(5, FrameType.ORDINAL, b""), "unknown type 7"),
        (Frame(5, 200, b""), "unknown type 200"),
    ],
)
def test_what_is_no_record_is_said_so(bad: Frame, reason: str) -> None:
    """An unreadable record raises one kind of error that names its sequence number."""
    with pytest.raises(ValueError, match=f"journal record 5 .*{reason}"):
        decode(bad)


def test_another_record_than_expected() -> None:
    """Reading a record as another kind is refused."""
    with pytest.raises(ValueError, match="is no CancelRecord"):
        decode_as(frame(ACCEPT), CancelRecord)
