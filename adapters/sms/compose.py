"""From one item to the submit_sm bodies of its parts: addresses, alphabet, validity, headers.  Pure."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Final

from adapters.sms import segments
from adapters.sms.pdu import ShortMessage, Tag, Tlvs
from adapters.sms.settings import Settings, is_number
from relay.adapter import Item

_INTERNATIONAL: Final = (1, 1)  # TON, NPI (design §18)
_ALPHANUMERIC: Final = (5, 0)
_UNSAID: Final = (0, 0)
_LONGEST_NUMBER: Final = 20


class BadNumber(ValueError):
    """The address is not a telephone number that SMPP can carry."""


def source_of(settings: Settings) -> tuple[str, int, int]:
    """Return the source address with its TON and NPI."""
    address = settings.source_addr
    if not address:
        ton, npi = _UNSAID
    elif is_number(address):
        ton, npi = _INTERNATIONAL
    else:
        ton, npi = _ALPHANUMERIC
    ton = ton if settings.source_ton is None else settings.source_ton
    npi = npi if settings.source_npi is None else settings.source_npi
    return address.removeprefix("+"), ton, npi


def validity_of(expires: datetime) -> str:
    """Return ``expires`` as an absolute validity period in UTC (SMPP 3.4 §7.1.1)."""
    return expires.astimezone(UTC).strftime("%y%m%d%H%M%S") + "000+"


def messages_of(item: Item, settings: Settings) -> tuple[ShortMessage, ...]:
    """Return the parts of ``item`` in order.

    The concatenation reference follows from the delivery id, so that a repetition completes what a phone already
    holds instead of starting a second half message.

    Raises:
        BadNumber: the address is not a number.
        TooLong: the text needs more than 255 parts.
    """
    number = item.address.removeprefix("+")
    if not is_number(number) or len(number) > _LONGEST_NUMBER:
        raise BadNumber("not a telephone number")
    cut = segments.whole(item.text) if settings.message_payload else segments.cut(item.text)
    payloads = cut.payloads(zlib.crc32(item.delivery_id.encode()))
    source, ton, npi = source_of(settings)
    validity = validity_of(item.expires) if settings.validity else ""
    messages: list[ShortMessage] = []
    for payload in payloads:
        short, tlvs = _place(payload, as_parameter=settings.message_payload)
        message = ShortMessage(
            service_type=settings.service_type,
            source=source,
            source_ton=ton,
            source_npi=npi,
            destination=number,
            dest_ton=settings.dest_ton,
            dest_npi=settings.dest_npi,
            esm_class=segments.CONCATENATED if len(payloads) > 1 else 0,
            validity=validity,
            registered_delivery=int(settings.registered_delivery),
            data_coding=settings.ucs2_data_coding if cut.ucs2 else settings.gsm_data_coding,
            payload=short,
            tlvs=tlvs,
        )
        messages.append(message)
    return tuple(messages)


def _place(payload: bytes, *, as_parameter: bool) -> tuple[bytes, Tlvs]:
    """Return the short_message field and the optional parameters that carry ``payload``."""
    if as_parameter:
        return b"", ((Tag.MESSAGE_PAYLOAD, payload),)
    return payload, ()
