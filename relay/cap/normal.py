"""Normal forms that identities are made of: NFC text, canonical bytes, lower-case base32."""

from __future__ import annotations

import unicodedata
from itertools import product

ID_LENGTH = 26

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple("".join(pair) for pair in product(_LETTERS, repeat=2))
_SHIFTS = range(10 * (ID_LENGTH // 2 - 1), -1, -10)


def nfc(text: str) -> str:
    """Return ``text`` in Unicode normal form C, so that a composed and a decomposed й are one letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def base32(digest: bytes) -> str:
    """Return the first 26 characters (130 bits) of the lower-case base32 of ``digest``."""
    bits = int.from_bytes(digest[:17]) >> 6
    # Two letters at a time: the library's own, which is general, takes as long as all the hashing.
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])
