"""What a phone would show of a short message: its own reading of alphabets and headers, apart from our sender's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# The default alphabet by rows of sixteen (3GPP TS 23.038), written down apart from the adapter's table on purpose.
_ROWS: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
)
_AFTER_ESCAPE: Final = dict(zip(b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", "\f^{}\\[~]|€", strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One short message as it came: ``number`` of ``total`` with ``reference``; 1 of 1 when it stands alone."""

    octets: bytes
    reference: int = 0
    total: int = 1
    number: int = 1


def read_piece(octets: bytes, esm_class: int) -> Piece:
    """Take the user data header off; a broken one is a ValueError, as a phone would drop the message."""
    if not esm_class & 0x40:
        return Piece(octets=octets)
    header, rest = octets[1 : 1 + octets[0]], octets[1 + octets[0] :]
    if len(header) != 5 or header[:2] != b"\x00\x03" or not 1 <= header[4] <= header[3]:
        raise ValueError("not an 8-bit concatenation header")
    return Piece(octets=rest, reference=header[2], total=header[3], number=header[4])


def show(octets: bytes, data_coding: int, *, room: int = 140) -> str:
    """Return the text of ``octets``, strictly: what a phone could not show is a ValueError, KeyError or IndexError.

    ``room`` is the size of the message in octets; 8 septets take 7 of them.
    """
    if len(octets) > (room if data_coding == 8 else room * 8 // 7):
        raise ValueError(f"{len(octets)} octets of data_coding {data_coding} do not fit")
    if data_coding == 8:
        return octets.decode("utf-16-be")
    if data_coding != 0:
        raise ValueError(f"data_coding {data_coding} is nothing that a phone shows")
    codes = iter(octets)
    return "".join([_AFTER_ESCAPE[next(codes)] if code == 0x1B else _ROWS[code >> 4][code & 15] for code in codes])


def write(text: str) -> tuple[bytes, int]:
    """Return a short ``text`` typed on a phone as octets with their data_coding."""
    plain = "".join(_ROWS)
    if all(char in plain and char != "\x1b" for char in text):
        return bytes([plain.index(char) for char in text]), 0
    return text.encode("utf-16-be"), 8
