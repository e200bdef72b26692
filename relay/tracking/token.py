"""Acknowledgement tokens: a delivery reference and a 64-bit HMAC; nothing is stored (design §5)."""

from __future__ import annotations

import hmac

from relay.fanout.ids import LEG_ID_LENGTH, DeliveryRef

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(a + b for a in _DIGITS for b in _DIGITS)
_MAC = 13  # 64 bits in base32


def make(ref: DeliveryRef, secret: bytes) -> str:
    """Return the token: 13 characters of leg id, the rank in base 32, 13 characters of HMAC."""
    body = ref.leg_id + _rank_text(ref.rank)
    return body + _mac(body, secret)


def read(token: str, secret: bytes) -> DeliveryRef | None:
    """Return the delivery a token stands for, or None for anything that we did not make."""
    if not LEG_ID_LENGTH + 1 + _MAC <= len(token) <= LEG_ID_LENGTH + 7 + _MAC or not set(token) <= set(_DIGITS):
        return None
    body, mac = token[:-_MAC], token[-_MAC:]
    if not hmac.compare_digest(mac, _mac(body, secret)):
        return None
    rank = 0
    for char in body[LEG_ID_LENGTH:]:
        rank = rank * 32 + _DIGITS.index(char)
    return DeliveryRef(body[:LEG_ID_LENGTH], rank)


def _mac(body: str, secret: bytes) -> str:
    # Base32 of 64 bits by hand: one token is made for every message, and base64.b32encode is slow.
    bits = int.from_bytes(hmac.digest(secret, body.encode(), "sha256")[:8]) << 1
    pairs = [_PAIRS[bits >> shift & 1023] for shift in range(50, -1, -10)]
    return _DIGITS[bits >> 60] + "".join(pairs)


def _rank_text(rank: int) -> str:
    text = ""
    while True:
        rank, digit = divmod(rank, 32)
        text = _DIGITS[digit] + text
        if rank == 0:
            return text
