"""What travels over SMPP 3.4: commands, optional parameters, and the bodies of the PDUs as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

MAX_SEQUENCE: Final = 0x7FFF_FFFF
RESPONSE: Final = 0x8000_0000  # the bit that makes a command a response


class Command(IntEnum):
    """The command ids of SMPP 3.4 §5.1.2.1 that this client speaks or must recognise."""

    GENERIC_NACK = 0x8000_0000
    SUBMIT_SM = 0x0000_0004
    SUBMIT_SM_RESP = 0x8000_0004
    DELIVER_SM = 0x0000_0005
    DELIVER_SM_RESP = 0x8000_0005
    UNBIND = 0x0000_0006
    UNBIND_RESP = 0x8000_0006
    BIND_TRANSCEIVER = 0x0000_0009
    BIND_TRANSCEIVER_RESP = 0x8000_0009
    ENQUIRE_LINK = 0x0000_0015
    ENQUIRE_LINK_RESP = 0x8000_0015
    ALERT_NOTIFICATION = 0x0000_0102


class Tag(IntEnum):
    """The optional parameters that this client reads or writes (§5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


Tlvs = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """The body of ``bind_transceiver``."""

    system_id: str
    password: str
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""

    def __repr__(self) -> str:
        return f"Bind(system_id={self.system_id!r})"  # never the password


@dataclass(frozen=True, slots=True, kw_only=True)
class BindResp:
    """The body of ``bind_transceiver_resp``."""

    system_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortMessage:
    """The body that ``submit_sm`` and ``deliver_sm`` share; ``payload`` is the short_message field (≤ 254 octets)."""

    source: str = ""
    destination: str = ""
    payload: bytes = b""
    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    dest_ton: int = 0
    dest_npi: int = 0
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    validity: str = ""
    registered_delivery: int = 0
    replace: int = 0
    data_coding: int = 0
    default_message: int = 0
    tlvs: Tlvs = ()

    def tlv(self, tag: int) -> bytes | None:
        """Return the value of the first optional parameter ``tag``, None when there is none."""
        return next((value for known, value in self.tlvs if known == tag), None)


class MessageId(NamedTuple):
    """The body of ``submit_sm_resp`` and ``deliver_sm_resp``."""

    value: str = ""
    tlvs: Tlvs = ()


class Raw(NamedTuple):
    """A body as octets: of a command that this codec does not know, or written already."""

    octets: bytes


Body = Bind | BindResp | ShortMessage | MessageId | Raw | None


class Pdu(NamedTuple):
    """One protocol data unit; ``status`` is 0 in every request."""

    command: int
    sequence: int
    body: Body = None
    status: int = 0
