"""Normal forms that identities are made of: NFC text, canonical bytes, lower-case base32."""

from __future__ import annotations

import base64
import unicodedata

ID_LENGTH = 26


def nfc(text: str) -> str:
    """Return ``text`` in Unicode normal form C, so that a composed and a decomposed й are one letter."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def base32(digest: bytes) -> str:
    """Return the first 26 characters (130 bits) of the lower-case base32 of ``digest``."""
    return base64.b32encode(digest)[:ID_LENGTH].decode().lower()
