from __future__ import annotations

import base64
import hashlib

from relay.cap.normal import base32, nfc


def test_composed_and_decomposed_letters_are_one() -> None:
    """й written as one character or as two is the same letter."""
    assert nfc("и\u0306") == "й"
    assert nfc("plain") == "plain"


def test_base32_is_lower_case_and_short() -> None:
    """Ids are 26 lower-case characters."""
    text = base32(hashlib.sha256(b"x").digest())

    assert len(text) == 26
    assert text == text.lower()


def test_base32_is_the_librarys() -> None:
    """Ids are what everybody's base32 makes of the digest: they are stored, and must never change."""
    digests = [hashlib.sha256(b"%d" % number).digest() for number in range(200)]

    assert [base32(d) for d in digests] == [base64.b32encode(d)[:26].decode().lower() for d in digests]
