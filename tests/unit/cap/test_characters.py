from __future__ import annotations

import pytest

from relay.cap.characters import odd_character


@pytest.mark.parametrize(
    "text", ["Сель: отойдите от реки", "line\nline\ttab", "a\u200eb", "a\u00a0b", "a\u0085b", "🌊", "سیل"]
)
def test_ordinary_text_may_stand(text: str) -> None:
    """Any script, line ends, direction marks of single letters and emoji are ordinary."""
    assert odd_character(text) is None


@pytest.mark.parametrize(
    ("text", "key", "code"),
    [
        ("a\x1b[2J", "character", "U+001B"),
        ("a\x07", "character", "U+0007"),
        ("a\x9f", "character", "U+009F"),
        ("a\x00b", "character", "U+0000"),
        ("a\ufffe", "character", "U+FFFE"),
        ("go \u202enorth", "bidi", "U+202E"),
        ("go \u202bnorth", "bidi", "U+202B"),
    ],
)
def test_controls_are_found(text: str, key: str, code: str) -> None:
    """BI-181, BI-184: controls and marks that turn the reading direction are found and named."""
    assert odd_character(text) == (key, code)
