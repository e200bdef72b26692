"""Acknowledgement tokens: a delivery reference and a 64-bit HMAC; nothing is stored (design §5)."""

from __future__ import annotations

import hmac
import struct
from collections.abc import Iterable

from relay.fanout.ids import LEG_ID_LENGTH, DeliveryRef

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
#: All texts of three digits: fifteen bits at a time, because one token is made for every message.
_TRIPLES = tuple(a + b + c for a in _DIGITS for b in _DIGITS for c in _DIGITS)
_MAC = 13  # 64 bits in base32
_EIGHT = struct.Struct(">8Q")


def make(ref: DeliveryRef, secret: bytes) -> str:
    """Return the token: 13 characters of leg id, the rank in base 32, 13 characters of HMAC."""
    return make_many(ref.leg_id, (ref.rank,), secret)[0]


def make_many(leg_id: str, ranks: Iterable[int], secret: bytes) -> list[str]:
    """Return the tokens of several deliveries of one leg, in order."""
    codes: dict[int, tuple[int, ...]] = {}
    tokens = []
    for rank in ranks:
        eight = rank >> 3
        if eight not in codes:
            codes[eight] = _codes(leg_id, eight, secret)
        tokens.append(f"{leg_id}{_rank_text(rank)}{_mac_text(codes[eight][rank & 7])}")
    return tokens


def read(token: str, secret: bytes) -> DeliveryRef | None:
    """Return the delivery a token stands for, or None for anything that we did not make."""
    if not LEG_ID_LENGTH + 1 + _MAC <= len(token) <= LEG_ID_LENGTH + 7 + _MAC or not set(token) <= set(_DIGITS):
        return None
    leg_id, digits = token[:LEG_ID_LENGTH], token[LEG_ID_LENGTH:-_MAC]
    rank = 0
    for char in digits:
        rank = rank * 32 + _DIGITS.index(char)
    code = _codes(leg_id, rank >> 3, secret)[rank & 7]
    if digits != _rank_text(rank) or not hmac.compare_digest(token[-_MAC:], _mac_text(code)):
        return None
    return DeliveryRef(leg_id, rank)


def _codes(leg_id: str, eight: int, secret: bytes) -> tuple[int, ...]:
    """Return 64 bits each for eight neighbouring ranks: the parts of one HMAC-SHA-512, independent of each other."""
    return _EIGHT.unpack(hmac.digest(secret, f"{leg_id}{eight}".encode(), "sha512"))


def _mac_text(code: int) -> str:
    bits = code << 1
    three = _TRIPLES
    return (
        _DIGITS[bits >> 60]
        + three[bits >> 45 & 32767]
        + three[bits >> 30 & 32767]
        + three[bits >> 15 & 32767]
        + three[bits & 32767]
    )


def _rank_text(rank: int) -> str:
    if rank < 32:
        return _DIGITS[rank]
    if rank < 32768:
        return _TRIPLES[rank].lstrip("a")
    return _rank_text(rank >> 15) + _TRIPLES[rank & 32767]
