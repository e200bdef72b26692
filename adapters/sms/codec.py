"""The SMPP 3.4 codec: bytes to PDUs and back, pure and bounded.

CodecError
├── FrameError   the length field cannot be true: the byte stream has lost its framing, the connection must go
└── BodyError    one PDU cannot be read, but the next one can
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from adapters.sms.pdu import Bind, BindResp, Body, Command, MessageId, Pdu, Raw, ShortMessage, Tlvs

HEADER: Final = struct.Struct(">IIII")
_TLV: Final = struct.Struct(">HH")
MAX_PDU: Final = 0x1_1000  # a message_payload of 65,535 octets and every other field fit
_READ_AT_LEAST: Final = 65  # providers write longer addresses and ids than the specification's 6 to 21 octets


class CodecError(ValueError):
    """Bytes that are not SMPP, or values that SMPP cannot carry."""


class FrameError(CodecError):
    """The length of a PDU is impossible; nothing after it can be trusted."""


class BodyError(CodecError):
    """The body of one PDU cannot be read; its header could, and framing holds."""

    def __init__(self, reason: str, *, command: int = 0, status: int = 0, sequence: int = 0) -> None:
        super().__init__(reason)
        self.command = command
        self.status = status
        self.sequence = sequence


class Framer:
    """Cuts a byte stream into PDUs, wherever the network cut it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield every whole PDU that ``data`` completes.

        Raises:
            FrameError: the next length is below 16 or above :data:`MAX_PDU`; PDUs before it were yielded.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= HEADER.size:
                length = int.from_bytes(buffer[start : start + 4], "big")
                if not HEADER.size <= length <= MAX_PDU:
                    raise FrameError(f"command_length {length} is impossible")
                if len(buffer) - start < length:
                    return
                start += length
                yield bytes(buffer[start - length : start])
        finally:
            del buffer[:start]


class _Reader:
    """Takes fields off a body; every step is bounded."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def text(self, size: int) -> str:
        """Read a NUL-terminated string of about ``size`` octets; Latin-1, so that any octet survives."""
        end = self._octets.find(0, self._at, self._at + max(size, _READ_AT_LEAST))
        if end < 0:
            raise BodyError("a string does not end")
        value = self._octets[self._at : end].decode("latin-1")
        self._at = end + 1
        return value

    def take(self, length: int) -> bytes:
        value = self._octets[self._at : self._at + length]
        if len(value) != length:
            raise BodyError("the body is cut short")
        self._at += length
        return value

    def tlvs(self) -> Tlvs:
        """Read the optional parameters to the end; unknown ones are kept, order too."""
        found: list[tuple[int, bytes]] = []
        while self._at < len(self._octets):
            tag, length = _TLV.unpack(self.take(_TLV.size))
            found.append((tag, self.take(length)))
        return tuple(found)

    @property
    def empty(self) -> bool:
        return self._at >= len(self._octets)


def _text(value: str, size: int) -> bytes:
    """Return ``value`` as a C-octet string of at most ``size`` octets with its NUL."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise CodecError("a field holds a character that SMPP addresses and ids cannot carry") from error
    if len(octets) >= size or 0 in octets:
        raise CodecError(f"a field is longer than {size - 1} octets or holds a NUL")
    return octets + b"\0"


def _tlvs(tlvs: Tlvs) -> bytes:
    return b"".join([_TLV.pack(tag, len(value)) + value for tag, value in tlvs]) if tlvs else b""


# Sizes are the specification's (§4), but for system_id and password: providers hand out longer ones than 15 and 8.
def _read_bind(octets: bytes) -> Bind:
    read = _Reader(octets)
    names = read.text(65), read.text(65), read.text(13)
    version, ton, npi = read.take(3)
    return Bind(
        system_id=names[0],
        password=names[1],
        system_type=names[2],
        interface_version=version,
        addr_ton=ton,
        addr_npi=npi,
        address_range=read.text(41),
    )


def _write_bind(body: Bind) -> bytes:
    names = _text(body.system_id, 65) + _text(body.password, 65) + _text(body.system_type, 13)
    return names + bytes((body.interface_version, body.addr_ton, body.addr_npi)) + _text(body.address_range, 41)


def _read_bind_resp(octets: bytes) -> BindResp:
    read = _Reader(octets)
    return BindResp() if read.empty else BindResp(system_id=read.text(16), tlvs=read.tlvs())


def _read_message_id(octets: bytes) -> MessageId:
    if not octets:
        return MessageId()  # many providers leave the body out when the status is an error
    read = _Reader(octets)
    return MessageId(read.text(65), () if read.empty else read.tlvs())


def _read_message(octets: bytes) -> ShortMessage:
    read = _Reader(octets)
    service = read.text(6)
    source_ton, source_npi = read.take(2)
    source = read.text(21)
    dest_ton, dest_npi = read.take(2)
    destination = read.text(21)
    esm_class, protocol_id, priority = read.take(3)
    schedule, validity = read.text(17), read.text(17)
    registered, replace, coding, default, length = read.take(5)
    return ShortMessage(
        service_type=service,
        source_ton=source_ton,
        source_npi=source_npi,
        source=source,
        dest_ton=dest_ton,
        dest_npi=dest_npi,
        destination=destination,
        esm_class=esm_class,
        protocol_id=protocol_id,
        priority=priority,
        schedule=schedule,
        validity=validity,
        registered_delivery=registered,
        replace=replace,
        data_coding=coding,
        default_message=default,
        payload=read.take(length),
        tlvs=read.tlvs(),
    )


def form(m: ShortMessage) -> tuple[bytes, bytes]:
    """Return what stands before the destination of a message, and what between it and the length of its payload.

    All messages that differ only in destination and payload share it.

    Raises:
        CodecError, ValueError: a value does not fit its field.
    """
    before = (
        _text(m.service_type, 6),
        bytes((m.source_ton, m.source_npi)),
        _text(m.source, 21),
        bytes((m.dest_ton, m.dest_npi)),
    )
    between = (
        bytes((m.esm_class, m.protocol_id, m.priority)),
        _text(m.schedule, 17),
        _text(m.validity, 17),
        bytes((m.registered_delivery, m.replace, m.data_coding, m.default_message)),
    )
    return b"".join(before), b"".join(between)


def filled(form: tuple[bytes, bytes], *, destination: str, payload: bytes, tlvs: Tlvs = ()) -> bytes:
    """Return the body of a message of this :func:`form`.

    Raises:
        CodecError: a value does not fit its field.
    """
    if len(payload) > 254:
        raise CodecError("short_message holds at most 254 octets")
    before, between = form
    return b"%b%b%b%c%b%b" % (before, _text(destination, 21), between, len(payload), payload, _tlvs(tlvs))


def _write_message(m: ShortMessage) -> bytes:
    return filled(form(m), destination=m.destination, payload=m.payload, tlvs=m.tlvs)


def _read_nothing(_octets: bytes) -> None:
    return None


_READERS: Final[Mapping[int, Callable[[bytes], Body]]] = {
    Command.BIND_TRANSCEIVER: _read_bind,
    Command.BIND_TRANSCEIVER_RESP: _read_bind_resp,
    Command.SUBMIT_SM: _read_message,
    Command.DELIVER_SM: _read_message,
    Command.SUBMIT_SM_RESP: _read_message_id,
    Command.DELIVER_SM_RESP: _read_message_id,
    Command.UNBIND: _read_nothing,
    Command.UNBIND_RESP: _read_nothing,
    Command.ENQUIRE_LINK: _read_nothing,
    Command.ENQUIRE_LINK_RESP: _read_nothing,
    Command.GENERIC_NACK: _read_nothing,
}


def decode(frame: bytes) -> Pdu:
    """Return the PDU in ``frame``, one whole PDU as :class:`Framer` yields it.

    Raises:
        FrameError: ``frame`` is not one whole PDU.
        BodyError: its body cannot be read.
    """
    if len(frame) < HEADER.size:
        raise FrameError("shorter than a header")
    length, command, status, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        raise FrameError("command_length differs from the frame")
    reader = _READERS.get(command, Raw)
    try:
        return Pdu(command, sequence, reader(frame[HEADER.size :]), status)
    except BodyError as error:
        raise BodyError(str(error), command=command, status=status, sequence=sequence) from None


def encode(pdu: Pdu) -> bytes:
    """Return the bytes of ``pdu``.

    Raises:
        CodecError: a value does not fit its field.
    """
    try:
        body = _body(pdu.body)
        return HEADER.pack(HEADER.size + len(body), pdu.command, pdu.status, pdu.sequence) + body
    except (ValueError, struct.error) as error:
        raise error if isinstance(error, CodecError) else CodecError("a number does not fit its field") from error


def _body(body: Body) -> bytes:
    match body:
        case Raw():
            return body.octets
        case None:
            return b""
        case ShortMessage():
            return _write_message(body)
        case MessageId():
            return _text(body.value, 65) + _tlvs(body.tlvs)
        case Bind():
            return _write_bind(body)
        case BindResp():
            return _text(body.system_id, 16) + _tlvs(body.tlvs)
