"""The GSM 03.38 default alphabet with its extension table, one octet per septet as SMPP carries it."""

from __future__ import annotations

import codecs
from typing import Final

# 3GPP TS 23.038 §6.2.1: position is the code; 0x1B leads into the extension table.
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038 §6.2.1.1
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
ESCAPE: Final = 0x1B

_ENCODE: Final[dict[int, bytes]] = {ord(char): bytes((code,)) for code, char in enumerate(_BASIC) if code != ESCAPE} | {
    ord(char): bytes((ESCAPE, code)) for code, char in _EXTENSION.items()
}
# The basic table alone, in the form that Python's own charmap codecs use: nearly every text needs no more.
_BASIC_ONLY: Final = codecs.charmap_build(_BASIC.replace("\x1b", "\ufffe") + "\ufffe" * 128)


def encode(text: str) -> bytes | None:
    """Return ``text`` in the default alphabet, None when a character is not in it."""
    for table in (_BASIC_ONLY, _ENCODE):
        try:
            return codecs.charmap_encode(text, "strict", table)[0]
        except UnicodeEncodeError:
            continue
    return None


def decode(octets: bytes) -> str:
    """Return the text of unpacked septets; an unknown extension is read as its basic character (§6.2.1.1 note).

    Octets above 0x7F are not septets; they become U+FFFD.
    """
    text: list[str] = []
    escaped = False
    for code in octets:
        if code == ESCAPE and not escaped:
            escaped = True
            continue
        char = _BASIC[code] if code < 0x80 else "\ufffd"
        text.append(_EXTENSION.get(code, char) if escaped else char)
        escaped = False
    return "".join(text).replace("\x1b", " ")  # a doubled escape is reserved; receivers show a space
