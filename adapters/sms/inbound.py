"""Reading what comes in by deliver_sm: its text, its sender, and long messages put together again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.sms import gsm
from adapters.sms.pdu import ShortMessage, Tag
from adapters.sms.segments import CONCATENATED
from relay.adapter import Inbound

# data_coding as SMPP 3.4 §5.2.19 names it; what is not here is read as the default alphabet.
_CODECS: Final[Mapping[int, str]] = {
    1: "ascii",
    2: "latin-1",
    3: "latin-1",
    4: "latin-1",
    6: "iso8859-5",
    7: "iso8859-8",
    8: "utf-16-be",
    0x18: "utf-16-be",  # UCS-2 with a message class (GSM 03.38), as some providers pass it on
}
_MAX_PARTS: Final = 32  # longer replies are not answers to an alert
_INTERNATIONAL: Final = 1


@dataclass(frozen=True, slots=True)
class Part:
    """Where a piece belongs: ``number`` of ``total`` with ``reference``."""

    reference: int
    total: int
    number: int


def text_of(octets: bytes, data_coding: int) -> str:
    """Return ``octets`` (no user data header) as text; what cannot be read becomes U+FFFD, never an error."""
    codec = _CODECS.get(data_coding)
    if codec is None:
        return gsm.decode(octets)
    return octets.decode(codec, "replace")


def body_of(message: ShortMessage) -> tuple[bytes, Part | None]:
    """Return the octets of the text without its header, and its place in a longer message."""
    octets = message.payload or message.tlv(Tag.MESSAGE_PAYLOAD) or b""
    if message.esm_class & CONCATENATED and octets:
        end = 1 + octets[0]
        return octets[end:], _part_in_header(octets[1:end])
    return octets, _part_in_parameters(message)


def _part_in_header(header: bytes) -> Part | None:
    """Find a concatenation element (8-bit or 16-bit reference) among the elements of a user data header."""
    at = 0
    while at + 2 <= len(header):
        element, value = header[at], header[at + 2 : at + 2 + header[at + 1]]
        if element == 0 and len(value) == 3:
            return _part(value[0], value[1], value[2])
        if element == 8 and len(value) == 4:
            return _part(int.from_bytes(value[:2], "big"), value[2], value[3])
        at += 2 + header[at + 1]
    return None


def _part_in_parameters(message: ShortMessage) -> Part | None:
    tags = (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    numbers = [int.from_bytes(value, "big") for tag in tags if (value := message.tlv(tag))]
    return _part(*numbers) if len(numbers) == len(tags) else None


def _part(reference: int, total: int, number: int) -> Part | None:
    return Part(reference, total, number) if 1 < total <= _MAX_PARTS and 1 <= number <= total else None


def sender_of(message: ShortMessage) -> str:
    """Return the sender in E.164 when it is an international number, else as the provider wrote it."""
    address = message.source.strip()
    if not (address.isascii() and address.isdigit()):
        return address
    # TON 0 (unknown) is what many providers say of every number; short codes and national numbers stay as they are.
    international = message.source_ton == _INTERNATIONAL or (message.source_ton == 0 and len(address) >= 10)
    return f"+{address}" if international else address


@dataclass(slots=True)
class _Pending:
    total: int
    began: float
    pieces: dict[int, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join([self.pieces[number] for number in sorted(self.pieces)])


class Reassembly:
    """Puts replies of several parts together; bounded in number and time, and what stays incomplete is not lost."""

    def __init__(self, *, keep: int = 256, seconds: float = 600.0) -> None:
        self._keep = keep
        self._seconds = seconds
        self._open: OrderedDict[tuple[str, int], _Pending] = OrderedDict()

    def add(self, message: ShortMessage, *, now: float) -> list[Inbound]:
        """Return the replies that ``message`` completes, and those given up incomplete; ``now`` is monotonic."""
        ready = self._overdue(now)
        octets, part = body_of(message)
        text, sender = text_of(octets, message.data_coding), sender_of(message)
        if part is None:
            return [*ready, Inbound(sender=sender, text=text)]
        key = (sender, part.reference)
        pending = self._open.get(key)
        if pending is not None and pending.total != part.total:  # the reference was used again
            ready.append(self._close(key))
            pending = None
        if pending is None:
            pending = self._open[key] = _Pending(part.total, now)
        pending.pieces[part.number] = text
        if len(pending.pieces) == part.total:
            ready.append(self._close(key))
        elif len(self._open) > self._keep:
            ready.append(self._close(next(iter(self._open))))
        return ready

    def _overdue(self, now: float) -> list[Inbound]:
        ready: list[Inbound] = []
        while self._open:
            key, oldest = next(iter(self._open.items()))
            if now - oldest.began < self._seconds:
                break
            ready.append(self._close(key))
        return ready

    def _close(self, key: tuple[str, int]) -> Inbound:
        return Inbound(sender=key[0], text=self._open.pop(key).text)
