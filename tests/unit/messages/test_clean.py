"""Alert text made safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.messages.clean import LONGEST, block, line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nBcc: b@c", "a Bcc: b@c"),
        ("a\u2028b\u0085c\u2029d", "a b c d"),
        ("\x1b[2Jred\x07", "[2Jred"),
        ("go \u202enorth\u202c now", "go north now"),
        ("\u2067a\u2069", "a"),
        ("{x} %n {{7*7}} <b>", "{x} %n {{7*7}} <b>"),
        ("  a \t\u00a0 b  ", "a b"),
        ("می\u200cروند", "می\u200cروند"),
    ],
)
def test_line(text: str, expected: str) -> None:
    """Breaks become spaces, controls and bidi overrides go, everything else is literal."""
    assert line(text) == expected


def test_block_keeps_lines() -> None:
    """A text keeps its lines and at most one empty one between them."""
    assert block(" a \r\n\r\n\r\n\r\nb\vc ") == "a\n\nb\nc"


def test_block_is_bounded() -> None:
    """A text of megabytes ends in three dots instead of filling a mailbox."""
    assert len(block("слово " * 100_000)) <= LONGEST


@given(st.text())
def test_no_control_survives(text: str) -> None:
    """No control, surrogate, override or second line is left in a one-line field."""
    shown = line(text)

    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert shown == shown.strip()
