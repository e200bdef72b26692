"""The GSM 03.38 alphabet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sms import gsm
from relay.testing import smsc_text

EVERY = "".join(char for char in "".join(smsc_text._ROWS) if char != "\x1b") + "".join(smsc_text._AFTER_ESCAPE.values())


def test_alphabet_is_whole() -> None:
    """All 127 characters of the basic table and the ten of the extension are there, at the places a phone knows."""
    octets = gsm.encode(EVERY)

    assert len(EVERY) == 137
    assert octets is not None
    assert len(octets) == 147
    assert smsc_text.show(octets[:127], 0) + smsc_text.show(octets[127:], 0) == EVERY


@given(st.text(st.sampled_from(EVERY)))
def test_read_back(text: str) -> None:
    """What is written is read."""
    octets = gsm.encode(text)

    assert octets is not None
    assert gsm.decode(octets) == text


@pytest.mark.parametrize("char", ["ж", "ʻ", "ç", "`", "\t", "«", "\x1b", "😀"])
def test_others_are_not_in_it(char: str) -> None:
    """A character outside sends the whole text to UCS-2 instead of being replaced."""
    assert gsm.encode(f"a{char}") is None


@given(st.binary(max_size=60))
def test_any_octets_can_be_read(octets: bytes) -> None:
    """Reading never fails."""
    assert isinstance(gsm.decode(octets), str)


def test_odd_octets() -> None:
    """Unknown extensions read as their basic character, octets above 0x7F as U+FFFD, a trailing escape as nothing."""
    assert gsm.decode(b"\x1bA\x80\x1b") == "A\ufffd"
