"""What the journal remembers: one value per frame type, to bytes and back.

A payload is ``version u8 | header length u32 | header (JSON) | raw bytes``.  Version N reads N-1: a field that an older
relay did not write takes its default, a field that only a newer one knows is ignored.  A field therefore never
changes its meaning; a new meaning gets a new name.
"""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import orjson

from relay.intake.frames import Frame, FrameType

RECORD_VERSION = 1

_PREFIX = struct.Struct("<BI")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptRecord:
    """An alert that was answered with 202, exactly as it came.

    ``k0``, ``k1`` and ``k2`` are the keys of design §7.  ``klass``, ``state``, ``reason`` and ``expires`` are what was
    decided then: applying the record again must not judge it by a later clock.  ``refers`` are the k1 digests of what a
    Cancel or an Update ends.  ``raw`` holds the original bytes.
    """

    alert_id: str
    received_at: datetime
    key_id: str
    agency: str
    content_type: str
    charset: str = ""
    media: str = "xml"
    strict: bool = False
    test_mode: bool = False
    partition: int = 0
    k0: str = ""
    k1: str = ""
    k2: str = ""
    klass: str = ""
    state: str = "accepted"
    reason: str = ""
    title: str = ""
    refers: list[str] = field(default_factory=list)
    expires: datetime | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    raw: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRecord:
    """``POST /v1/alerts/{id}/cancel``: ``alert_id`` is what is cancelled, ``cancel_id`` the relay's own Cancel."""

    alert_id: str
    cancel_id: str
    reason: str
    by: str
    agency: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecord:
    """A person's word on a held alert; ``decision`` is ``approve`` or ``reject``, ``by`` a key id."""

    alert_id: str
    decision: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRecord:
    """A switch: ``op`` is ``stop``, ``resume`` or ``pause``; ``channel`` is empty for the whole relay."""

    op: str
    channel: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key made or revoked: ``entry`` as in ``keys.json``, the secret only as its hash."""

    entry: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRecord:
    """A single edit of the directory: ``op`` is ``put``, ``delete`` or ``opt_out``, ``json`` the recipient or empty."""

    op: str
    id: str
    json: dict[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AckRecord:
    """A responder's acknowledgement; ``via`` is ``link``, ``sms`` or ``voice``."""

    delivery_id: str
    answer: str
    at: datetime
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRecord:
    """A stamp of the clock, or a probe of the disk; ``note`` says which."""

    at: datetime
    note: str = ""
    values: dict[str, Any] = field(default_factory=dict)


Record = (
    AcceptRecord | CancelRecord | ApprovalRecord | ControlRecord | KeyRecord | DirectoryRecord | AckRecord | MarkRecord
)

_TYPES: dict[FrameType, type[Record]] = {
    FrameType.ACCEPT: AcceptRecord,
    FrameType.CANCEL: CancelRecord,
    FrameType.APPROVAL: ApprovalRecord,
    FrameType.CONTROL: ControlRecord,
    FrameType.KEY: KeyRecord,
    FrameType.DIRECTORY: DirectoryRecord,
    FrameType.ACK: AckRecord,
    FrameType.MARK: MarkRecord,
}
_FRAME_TYPES = {record: frame_type for frame_type, record in _TYPES.items()}
_FIELDS = {record: frozenset(f.name for f in dataclasses.fields(record)) for record in _FRAME_TYPES}
_TIMES = frozenset({"at", "received_at", "expires"})

R = TypeVar("R", bound=Record)


def frame_type_of(record: Record) -> FrameType:
    """Return the type of the frame that carries this record."""
    return _FRAME_TYPES[type(record)]


def encode(record: Record) -> bytes:
    """Return the payload of the frame that carries this record."""
    header = orjson.dumps({name: getattr(record, name) for name in _FIELDS[type(record)] if name != "raw"})
    raw = record.raw if isinstance(record, AcceptRecord) else b""
    return b"".join((_PREFIX.pack(RECORD_VERSION, len(header)), header, raw))


def decode(frame: Frame) -> Record:
    """Return the record that a frame carries.

    Raises:
        ValueError: the frame is of a newer relay or its payload is no record; it is kept, not applied.
    """
    try:
        record_type = _TYPES[FrameType(frame.type)]
    except (ValueError, KeyError) as error:
        raise ValueError(f"journal record {frame.seq} has the unknown type {frame.type}") from error
    return _read(frame, record_type)


def decode_as(frame: Frame, record_type: type[R]) -> R:
    """Return the record of a frame whose type the caller has checked.

    Raises:
        ValueError: it is another record, or none.
    """
    record = decode(frame)
    if not isinstance(record, record_type):
        raise ValueError(f"journal record {frame.seq} is no {record_type.__name__}")  # noqa: TRY004 - one error for bad bytes
    return record


def _read(frame: Frame, record_type: type[Record]) -> Record:
    try:
        version, length = _PREFIX.unpack_from(frame.payload)
        if not 1 <= version <= RECORD_VERSION:
            raise ValueError(f"journal record {frame.seq} was written by a newer relay (version {version})")
        header = orjson.loads(frame.payload[_PREFIX.size : _PREFIX.size + length])
        known = _FIELDS[record_type]
        values: dict[str, Any] = (
            header if header.keys() <= known else {name: header[name] for name in header.keys() & known}
        )
        for name in _TIMES & values.keys():
            values[name] = _time(values[name])
        if "raw" in known:
            values["raw"] = frame.payload[_PREFIX.size + length :]
        return record_type(**values)
    except (struct.error, orjson.JSONDecodeError, TypeError, AttributeError) as error:
        raise ValueError(f"journal record {frame.seq} is no {record_type.__name__}: {error}") from error


def _time(value: object) -> object:
    return datetime.fromisoformat(value) if isinstance(value, str) else value
