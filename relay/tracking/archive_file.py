"""The archive's file: one finished alert as JSON lines under gzip, written and read one segment at a time.

``zcat FILE | jq`` reads it.  The first line is the alert (facts, original bytes, legs and where each segment stands);
then, for each segment, a line that the relay reads it from, and one line for each delivery in the shape of
``GET …/deliveries``, for everybody else.  Each of these is a gzip member of its own and can be read without the rest.
"""

from __future__ import annotations

import base64
import os
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from relay.fanout.segment import Segment
from relay.store.alerts import StoredAlert
from relay.store.cursor import Cursor
from relay.store.legs import Leg, leg_of

VERSION = 1
SUFFIX = ".jsonl.gz"

_GZIP = zlib.MAX_WBITS + 16
_LEVEL = 4
_BLOCK = 65_536


@dataclass(frozen=True)
class NamedSegment(Segment):
    """A segment from the archive, with the ids that its recipients had."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArchivedLeg:
    """One leg as it was: its facts and counters, and its cursor as Redis held it.

    The fact ``channels`` says by which numbers its records name channels (JSON, name → number).
    """

    leg_id: str
    facts: Mapping[str, str]
    cursor: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where the segment ``segment`` of the leg ``leg_id`` stands, in bytes after the header."""

    leg_id: str
    segment: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """All of an archived alert but its deliveries; ``body_at`` is where they begin in the file."""

    alert_id: str
    archived_ms: int
    node: str
    facts: Mapping[str, str]
    raw: bytes
    legs: Sequence[ArchivedLeg]
    stretches: Sequence[Stretch] = ()
    body_at: int = 0

    @property
    def alert(self) -> StoredAlert:
        """The alert, with its original bytes."""
        return StoredAlert(self.facts, self.raw)


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment: who they are, what became of each (24 bytes), and the outcome log."""

    segment: NamedSegment
    records: bytes
    log: bytes


@dataclass(slots=True)
class Writer:
    """Writes one file; nothing stands under ``path`` before :meth:`finish`."""

    path: Path
    _body: BinaryIO = field(init=False)
    _stretches: list[Stretch] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._body = self._beside(".body").open("wb+")

    def add(self, leg_id: str, piece: Piece, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write one segment, and its deliveries as ``rows`` for whoever reads without the relay."""
        segment = piece.segment
        head = {
            "leg": leg_id,
            "segment": segment.number,
            "who": _text(segment.pack()),
            "records": _text(piece.records),
            "log": _text(piece.log),
            "names": segment.names,
        }
        data = _member(_line(head))
        self._stretches.append(Stretch(leg_id, segment.number, self._body.tell(), len(data)))
        self._body.write(data)
        self._body.write(_member(b"".join(map(_line, rows))))

    def finish(self, header: Header) -> int:
        """Put the whole under its name, durably, in place of what was there; returns the file's size.

        Raises:
            OSError: the disk; what stood under the name still does.
        """
        written = self._beside(".tmp")
        with written.open("wb") as file:
            file.write(_member(_head(header, self._stretches)))
            self._body.seek(0)
            shutil.copyfileobj(self._body, file, _BLOCK)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        written.replace(self.path)
        sync_folder(self.path.parent)
        self.abandon()
        return size

    def abandon(self) -> None:
        """Leave nothing behind but what stands under the name."""
        self._body.close()
        self._beside(".body").unlink(missing_ok=True)
        self._beside(".tmp").unlink(missing_ok=True)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_header(path: Path) -> Header:
    """Read all but the deliveries.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or of a later version.
    """
    member = zlib.decompressobj(_GZIP)
    parts, consumed = [], 0
    with path.open("rb") as file:
        while not member.eof:
            block = file.read(_BLOCK)
            if not block:
                raise ValueError(f"{path.name} ends in its header")
            consumed += len(block)
            try:
                parts.append(member.decompress(block))
            except zlib.error as error:
                raise ValueError(f"{path.name} is damaged: {error}") from error
    return _read_head(orjson.loads(b"".join(parts)), body_at=consumed - len(member.unused_data))


def read_piece(path: Path, header: Header, stretch: Stretch) -> Piece:
    """Read one segment.

    Raises:
        OSError, ValueError: as for :func:`read_header`.
    """
    with path.open("rb") as file:
        file.seek(header.body_at + stretch.offset)
        data = file.read(stretch.length)
    try:
        head = orjson.loads(zlib.decompress(data, _GZIP))
    except zlib.error as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    who = Segment.unpack(base64.b64decode(head["who"]), number=stretch.segment)
    named = NamedSegment(who.ordinals, who.slots, who.variants, who.number, tuple(head["names"]))
    return Piece(named, base64.b64decode(head["records"]), base64.b64decode(head["log"]))


def leg_from(archived: ArchivedLeg) -> Leg:
    """Return a leg as the store would."""
    return leg_of(archived.leg_id, archived.facts, Cursor.unpack(archived.cursor))


def legs_json(legs: Sequence[ArchivedLeg]) -> list[dict[str, Any]]:
    """Return legs as the header and the index hold them."""
    return [{"id": leg.leg_id, "facts": dict(leg.facts), "cursor": _text(leg.cursor)} for leg in legs]


def read_legs(found: Iterable[Mapping[str, Any]]) -> tuple[ArchivedLeg, ...]:
    """Read what :func:`legs_json` made."""
    return tuple(ArchivedLeg(leg["id"], leg["facts"], base64.b64decode(leg["cursor"])) for leg in found)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _line(found: Mapping[str, Any]) -> bytes:
    return orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE)


def _head(header: Header, stretches: Sequence[Stretch]) -> bytes:
    return _line(
        {
            "chapar": "archive",
            "version": VERSION,
            "id": header.alert_id,
            "archived": header.archived_ms,
            "node": header.node,
            "alert": dict(header.facts),
            "raw": _text(header.raw),
            "legs": legs_json(header.legs),
            "segments": [[s.leg_id, s.segment, s.offset, s.length] for s in stretches],
        }
    )


def _read_head(found: Mapping[str, Any], *, body_at: int) -> Header:
    if found.get("chapar") != "archive" or not 1 <= found["version"] <= VERSION:
        raise ValueError(f"archive version {found.get('version')} is not known")
    return Header(
        alert_id=found["id"],
        archived_ms=found["archived"],
        node=found["node"],
        facts=found["alert"],
        raw=base64.b64decode(found["raw"]),
        legs=read_legs(found["legs"]),
        stretches=tuple(Stretch(*row) for row in found["segments"]),
        body_at=body_at,
    )


def _member(data: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()
