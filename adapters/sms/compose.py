"""From one item to the submit_sm bodies of its parts: addresses, alphabet, validity, headers.  Pure."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from adapters.sms import segments
from adapters.sms.codec import filled, form
from adapters.sms.pdu import Raw, ShortMessage, Tag, Tlvs
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


class Composer:
    """Writes the submit_sm bodies of one account; what all its messages share is written once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._form = lru_cache(maxsize=64)(self._write_form)

    def bodies(self, item: Item) -> tuple[Raw, ...]:
        """Return the parts of ``item`` in order.

        The concatenation reference follows from the delivery id, so that a repetition completes what a phone already
        holds instead of starting a second half message.

        Raises:
            BadNumber: the address is not a number.
            TooLong: the text needs more than 255 parts.
        """
        number = item.address.removeprefix("+")
        if not (number.isascii() and number.isdigit()) or len(number) > _LONGEST_NUMBER:
            raise BadNumber("not a telephone number")
        text = item.text
        if self._settings.message_payload:
            whole = segments.whole(text)
            shape = self._form(item.expires, ucs2=whole.ucs2, parts=False)
            tlvs: Tlvs = ((Tag.MESSAGE_PAYLOAD, whole.pieces[0]),)
            return (Raw(filled(shape, destination=number, payload=b"", tlvs=tlvs)),)
        cut = segments.cut(text)
        payloads = cut.payloads(zlib.crc32(item.delivery_id.encode()))
        shape = self._form(item.expires, ucs2=cut.ucs2, parts=len(payloads) > 1)
        return tuple([Raw(filled(shape, destination=number, payload=payload)) for payload in payloads])

    def _write_form(self, expires: datetime, *, ucs2: bool, parts: bool) -> tuple[bytes, bytes]:
        settings = self._settings
        source, ton, npi = source_of(settings)
        shared = ShortMessage(
            service_type=settings.service_type,
            source=source,
            source_ton=ton,
            source_npi=npi,
            dest_ton=settings.dest_ton,
            dest_npi=settings.dest_npi,
            esm_class=segments.CONCATENATED if parts else 0,
            validity=validity_of(expires) if settings.validity else "",
            registered_delivery=int(settings.registered_delivery),
            data_coding=settings.ucs2_data_coding if ucs2 else settings.gsm_data_coding,
        )
        return form(shared)
