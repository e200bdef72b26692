"""What the test phone shows."""

from __future__ import annotations

import pytest

from relay.testing.smsc_text import Piece, read_piece, show, write


def test_alphabets() -> None:
    """The default alphabet with its extensions, and UCS-2."""
    assert show(b"\x00Hello \x1b\x65\x1b\x28\x1b\x29 \x10\x1f", 0) == "@Hello €{} ΔÉ"
    assert show("Сель 🌊".encode("utf-16-be"), 8) == "Сель 🌊"


@pytest.mark.parametrize(
    ("octets", "coding", "error"),
    [
        (b"a" * 161, 0, ValueError),
        ("ж".encode("utf-16-be") * 71, 8, ValueError),
        ("🌊".encode("utf-16-be")[:2], 8, ValueError),
        (b"\x1b", 0, StopIteration),
        (b"\x1ba", 0, KeyError),
        (b"\x80", 0, IndexError),
        (b"a", 3, ValueError),
    ],
)
def test_strict(octets: bytes, coding: int, error: type[Exception]) -> None:
    """What a phone could not show is an error, so that a test sees it."""
    with pytest.raises(error):
        show(octets, coding)


def test_header() -> None:
    """The concatenation header is taken off; a broken one is an error."""
    assert read_piece(b"\5\0\3\7\2\1ab", 0x40) == Piece(octets=b"ab", reference=7, total=2, number=1)
    assert read_piece(b"ab", 0) == Piece(octets=b"ab")
    for broken in (b"\5\0\3\7\2\3ab", b"\6\0\3\7\2\1ab", b"ab"):
        with pytest.raises((ValueError, IndexError)):
            read_piece(broken, 0x40)


@pytest.mark.parametrize("text", ["1", "Да", "a@Ω"])
def test_write(text: str) -> None:
    """What the phone types is what it would show."""
    assert show(*write(text)) == text
