"""What may stand as a recipient's number, mailbox or signing secret."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, NamedTuple

from relay.adapter import Kind

MAX_VALUE: Final = 2048  # characters of any address; a URL may be that long

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.ASCII)
_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)

# Satellite phones of rescue teams (Inmarsat 870, Iridium 881) are people; the other numbers without a country are
# paid by the caller or belong to machines.
_NOWHERE_ALLOWED: Final = frozenset({870, 881})
_NANP_BAD: Final = re.compile(r"\+1(?:[2-9]11|900|976)", re.ASCII)


class Fault(NamedTuple):
    """Why an address is refused: the rule, and what to do about it in English and Russian."""

    rule: str
    message: str
    message_ru: str


_NOT_E164: Final = Fault(
    "RELAY-NUMBER",
    "write the number in international form, digits only after the plus, such as +77010000007",
    "запишите номер в международном виде, после плюса только цифры, например +77010000007",
)
_IMPOSSIBLE: Final = Fault(
    "RELAY-NUMBER",
    "no number of this country has this length; check the country code and count the digits",
    "в этой стране нет номеров такой длины; проверьте код страны и число цифр",
)
_NOT_A_PERSON: Final = Fault(
    "RELAY-NUMBER",
    "emergency, premium-rate and special-service numbers are not told; give the number of a person or team",
    "экстренные, платные и служебные номера не оповещаются; укажите номер человека или группы",
)
_MAILBOX: Final = Fault(
    "RELAY-MAILBOX",
    "write a plain mailbox such as duty@rescue7.example: ASCII letters, no quotes, a domain name with a dot "
    "(a non-Latin domain in its xn-- form)",
    "запишите обычный почтовый адрес, например duty@rescue7.example: латиница, без кавычек, домен с точкой "
    "(нелатинский домен в виде xn--)",
)
_SECRET: Final = Fault(
    "RELAY-SECRET",
    "a signing secret is whsec_ and the base64 of 24 to 64 bytes; leave it out and the relay makes one",
    "секрет подписи: whsec_ и base64 от 24 до 64 байт; не указывайте его, и реле создаст секрет само",
)
_NO_SECRET: Final = Fault(
    "RELAY-SECRET", "only a webhook address has a secret", "секрет бывает только у адреса вида webhook"
)


def check_value(kind: Kind, value: str) -> Fault | None:
    """Return why ``value`` cannot be an address of ``kind``, or None; URLs are judged by the egress guard."""
    match kind:
        case Kind.SMS:
            return check_number(value)
        case Kind.EMAIL:
            return None if is_mailbox(value) else _MAILBOX
        case Kind.WEBHOOK:
            return None


def check_number(number: str) -> Fault | None:
    """Return why a number is refused, or None.

    A possible number is enough: numbering plans change faster than tables, and a refused number is a person who is
    not warned.
    """
    # Numbering plans are a fiftieth of what a process imports, and no alert needs them to be accepted or sent.
    import phonenumbers
    from phonenumbers import PhoneNumberType, ValidationResult

    if _E164.fullmatch(number) is None:
        return _NOT_E164
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return _IMPOSSIBLE
    if phonenumbers.region_code_for_country_code(parsed.country_code or 0) == "001":
        return None if parsed.country_code in _NOWHERE_ALLOWED else _NOT_A_PERSON
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return _IMPOSSIBLE
    paid = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)
    if _NANP_BAD.match(number) or phonenumbers.number_type(parsed) in paid:
        return _NOT_A_PERSON
    return None


def is_mailbox(text: str) -> bool:
    """Whether ``text`` is a mailbox of RFC 5321 §4.1.2 in ASCII, dot-atom form, at a domain with two labels or more."""
    local, at, domain = text.rpartition("@")
    if not at or len(text) > 254 or len(local) > 64 or _LOCAL.fullmatch(local) is None:
        return False
    labels = domain.split(".")
    return (
        len(labels) >= 2
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()  # an address literal without its brackets
    )


def check_secret(kind: Kind, secret: str | None) -> Fault | None:
    """Return why ``secret`` is refused, or None; Standard Webhooks asks for 24 to 64 bytes."""
    if secret is None:
        return None
    if kind is not Kind.WEBHOOK:
        return _NO_SECRET
    try:
        size = len(base64.b64decode(secret.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        return _SECRET
    return None if secret.startswith("whsec_") and 24 <= size <= 64 else _SECRET
