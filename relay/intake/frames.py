"""The journal's frames: bytes of one record, and finding them again in a damaged file.

A segment is a header and then frames, little-endian:

    header   magic 8s | version u16 | epoch u64 | base u64 | marker 8s | node 32s | crc32 u32
    frame    marker 8s | len u32 | crc32 u32 | seq u64 | type u8 | payload

``marker`` is random in each segment.  It is what a scan looks for after bad bytes, and because nobody outside knows
it, an alert whose body imitates a frame can never be taken for one.  ``base`` is one more than the last sequence
number that was acknowledged before this segment began: frames of older segments from ``base`` on were never
acknowledged there (they were written again here, or refused), so they do not count.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

FORMAT_VERSION = 1
MAX_PAYLOAD = 32 * 1024 * 1024
MARKER_BYTES = 8

_MAGIC = b"CHAPARJN"
_HEADER = struct.Struct("<8sHQQ8s32s")
_CRC = struct.Struct("<I")
_FRAME = struct.Struct("<8sIIQB")
_CHECKED = struct.Struct("<IQB")

HEADER_BYTES = _HEADER.size + _CRC.size
FRAME_BYTES = _FRAME.size


class FrameType(IntEnum):
    """What a frame's payload is (``relay.intake.records``); numbers are never reused."""

    ACCEPT = 1
    CANCEL = 2
    APPROVAL = 3
    CONTROL = 4
    KEY = 5
    DIRECTORY = 6
    ORDINAL = 7  # reserved: the node's own assignment of ordinals while Redis is away
    ACK = 8
    MARK = 9


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says of itself; ``epoch`` counts how often this journal was opened."""

    node: str
    epoch: int
    base: int
    marker: bytes
    version: int = FORMAT_VERSION

    def encode(self) -> bytes:
        """Return the header's bytes.

        Raises:
            ValueError: the node id is longer than 32 bytes, or the marker is not 8 bytes.
        """
        node = self.node.encode()
        if len(node) > 32 or len(self.marker) != MARKER_BYTES:
            raise ValueError("a node id has at most 32 bytes and a marker exactly 8")
        body = _HEADER.pack(_MAGIC, self.version, self.epoch, self.base, self.marker, node)
        return body + _CRC.pack(crc32(body))


@dataclass(frozen=True, slots=True)
class Frame:
    """One record as it was read; ``type`` is kept as a number, so that a newer relay's types survive a scan."""

    seq: int
    type: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes ``start`` to ``end`` of a segment are bad although good frames follow: corruption, not a torn tail."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a segment holds: ``good_until`` is the end of the last good frame, ``torn`` the bytes after it."""

    header: Header | None
    frames: tuple[Frame, ...]
    good_until: int
    torn: int
    damage: tuple[Damage, ...]


def encode_frame(marker: bytes, *, seq: int, frame_type: int, payload: bytes) -> bytes:
    """Return one frame's bytes.

    Raises:
        ValueError: the payload is larger than ``MAX_PAYLOAD``.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a journal record has at most {MAX_PAYLOAD} bytes")
    check = crc32(payload, crc32(_CHECKED.pack(len(payload), seq, frame_type)))
    return _FRAME.pack(marker, len(payload), check, seq, frame_type) + payload


def decode_header(content: bytes) -> Header | None:
    """Return the header at the start of a segment, or None when it is torn or damaged or of a newer format."""
    if len(content) < HEADER_BYTES:
        return None
    body = content[: _HEADER.size]
    if crc32(body) != _CRC.unpack_from(content, _HEADER.size)[0]:
        return None
    magic, version, epoch, base, marker, node = _HEADER.unpack(body)
    if magic != _MAGIC or version > FORMAT_VERSION:
        return None
    return Header(node=node.rstrip(b"\0").decode(), epoch=epoch, base=base, marker=marker, version=version)


def scan(content: bytes) -> Scan:
    """Return every good frame of a segment, whatever happened to the rest.

    Bad bytes at the end are a torn tail: the machine stopped while writing.  Bad bytes before a good frame are
    damage; the scan goes on at the next good frame with a higher sequence number.
    """
    header = decode_header(content)
    # A damaged header hides the marker, but the first frame starts with it.
    marker = header.marker if header is not None else content[HEADER_BYTES : HEADER_BYTES + MARKER_BYTES]
    frames: list[Frame] = []
    damage: list[Damage] = []
    position = min(HEADER_BYTES, len(content))
    start = position
    while True:
        found = _next_frame(content, marker, start=start, after=frames[-1].seq if frames else -1)
        if found is None:
            break
        at, frame = found
        if at > position:
            damage.append(Damage(position, at))
        frames.append(frame)
        position = start = at + FRAME_BYTES + len(frame.payload)
    if header is None and frames:
        damage.insert(0, Damage(0, HEADER_BYTES))
    good_until = position if header is not None or frames else 0
    return Scan(
        header=header,
        frames=tuple(frames),
        good_until=good_until,
        torn=len(content) - good_until,
        damage=tuple(damage),
    )


def _next_frame(content: bytes, marker: bytes, *, start: int, after: int) -> tuple[int, Frame] | None:
    """Return the first good frame at or after ``start`` whose sequence number is above ``after``, and where it is."""
    if len(marker) < MARKER_BYTES or marker == bytes(MARKER_BYTES):
        return None
    at = content.find(marker, start)
    while at >= 0:
        frame = _frame_at(content, at)
        if frame is not None and frame.seq > after:
            return at, frame
        at = content.find(marker, at + 1)
    return None


def _frame_at(content: bytes, at: int) -> Frame | None:
    if at + FRAME_BYTES > len(content):
        return None
    _, length, check, seq, frame_type = _FRAME.unpack_from(content, at)
    end = at + FRAME_BYTES + length
    if length > MAX_PAYLOAD or end > len(content):
        return None
    payload = content[at + FRAME_BYTES : end]
    if crc32(payload, crc32(_CHECKED.pack(length, seq, frame_type))) != check:
        return None
    return Frame(seq=seq, type=frame_type, payload=payload)
