"""Provider ids as few bytes: they are mostly numbers, decimal or hexadecimal, or letters and digits."""

from __future__ import annotations

import binascii

#: The forms, two bits each; numbers are stored and must never change their meaning.
_PLAIN, _LOWER, _UPPER, _SIXES = 0, 1, 2, 3

_LONGEST = 255

#: Letters, digits, ``-`` and ``_`` are six bits each.
_TO_SIXES = bytes.maketrans(b"-_", b"+/")
_FROM_SIXES = bytes.maketrans(b"+/", b"-_")
_SIX_BITS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def pack(text: str) -> tuple[int, int, bytes]:
    """Return the form, the length to keep with it, and the bytes; what is beyond 255 bytes is cut."""
    length = len(text)
    if length <= _LONGEST:
        try:
            packed = bytes.fromhex(text if length % 2 == 0 else "0" + text)
        except ValueError:
            packed = b""
        hexadecimal = packed.hex()[-length:] if packed else ""
        if hexadecimal == text and packed:
            return _LOWER, length, packed
        if hexadecimal and hexadecimal.upper() == text:
            return _UPPER, length, packed
        if _SIX_BITS.issuperset(text):
            sixes = text.encode().translate(_TO_SIXES) + b"A" * (-length % 4)
            return _SIXES, length, binascii.a2b_base64(sixes)[: size(_SIXES, length)]
    plain = text.encode()[:_LONGEST]
    return _PLAIN, len(plain), plain


def size(form: int, length: int) -> int:
    """Return the number of bytes of a text of ``length`` in a form."""
    if form == _PLAIN:
        return length
    return (length * 3 + 3) // 4 if form == _SIXES else (length + 1) // 2


def unpack(form: int, length: int, packed: bytes) -> str:
    """Return the text."""
    if form == _PLAIN:
        return packed.decode(errors="replace")
    if form == _SIXES:
        whole = packed + bytes(-len(packed) % 3)
        return binascii.b2a_base64(whole, newline=False).translate(_FROM_SIXES).decode()[:length]
    text = packed.hex()[-length:] if length else ""
    return text.upper() if form == _UPPER else text
