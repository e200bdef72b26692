"""Reading delivery receipts: by their optional parameters, or by the text form of SMPP 3.4 appendix B, leniently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from adapters.sms.inbound import body_of, text_of
from adapters.sms.pdu import ShortMessage, Tag
from relay.adapter import Receipt, Verdict

IdForm = Literal["same", "decimal", "hex"]

_TYPE_BITS: Final = 0x3C  # esm_class §5.2.12: what kind of deliver_sm this is
_RECEIPT_TYPES: Final = frozenset({0x04, 0x20})  # delivery receipt, intermediate notification
_ID: Final = re.compile(r"\bid:\s*([^\s]{1,64})", re.IGNORECASE)
_STAT: Final = re.compile(r"\bstat:\s*([A-Za-z]{2,16})", re.IGNORECASE)

# message_state §5.2.28 and the seven letters of appendix B say the same.
_STATES: Final[Mapping[int, str]] = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_VERDICTS: Final[Mapping[str, tuple[Verdict, str]]] = {
    "DELIV": (Verdict.DELIVERED, ""),
    "EXPIR": (Verdict.REJECTED, "expired_at_provider"),
    "DELET": (Verdict.REJECTED, "deleted_at_provider"),
    "UNDEL": (Verdict.REJECTED, "undeliverable"),
    "REJEC": (Verdict.REJECTED, "rejected_by_provider"),
}


def is_receipt(message: ShortMessage) -> bool:
    """Return whether ``message`` speaks of one of ours.

    The text alone never makes a receipt: anybody could send ``id:… stat:DELIVRD`` from his phone.
    """
    return message.esm_class & _TYPE_BITS in _RECEIPT_TYPES or message.tlv(Tag.RECEIPTED_MESSAGE_ID) is not None


def receipt_of(message: ShortMessage, *, ids: IdForm = "same") -> Receipt | None:
    """Return the receipt in ``message``, None when it names no message; ``ids`` as :func:`receipted_id` says.

    ``at`` stays empty: the text form writes the provider's local time without a zone.
    """
    octets, _part = body_of(message)
    text = text_of(octets, message.data_coding)
    named = message.tlv(Tag.RECEIPTED_MESSAGE_ID)
    provider_id = ""
    if named is not None:  # the parameter repeats the id of the response, not the text's other form of it
        provider_id = submitted_id(named.split(b"\0", 1)[0].decode("latin-1").strip(), ids=ids)
    elif found := _ID.search(text):
        provider_id = receipted_id(found.group(1), ids=ids)
    if not provider_id:
        return None
    verdict, reason = _verdict(message, text)
    return Receipt(provider_id=provider_id, verdict=verdict, reason=reason)


def _verdict(message: ShortMessage, text: str) -> tuple[Verdict, str]:
    state = message.tlv(Tag.MESSAGE_STATE)
    if state:
        word = _STATES.get(state[0], "UNKNOWN")
    else:
        found = _STAT.search(text)
        word = found.group(1).upper() if found else "UNKNOWN"
    # Providers shorten and lengthen the words (DELIVERED, UNDELIVERABLE); five letters tell them apart.
    return _VERDICTS.get(word[:5], (Verdict.ACCEPTED, f"provider_{word.lower()}"))


def submitted_id(value: str, *, ids: IdForm) -> str:
    """Return the id of a submit response in the form that :func:`receipted_id` gives for its receipt.

    Some providers answer in one base and write the other in receipts; both become decimal without leading zeros.
    """
    match ids:
        case "same":
            return value
        case "decimal":
            return _decimal(value, 16)
        case "hex":
            return _decimal(value, 10)


def receipted_id(value: str, *, ids: IdForm) -> str:
    """Return the id in a receipt's text; ``ids`` says how receipts write it: as submitted, in decimal or in hex."""
    match ids:
        case "same":
            return value
        case "decimal":
            return _decimal(value, 10)
        case "hex":
            return _decimal(value, 16)


def _decimal(value: str, base: int) -> str:
    try:
        return str(int(value, base))
    except ValueError:
        return value
