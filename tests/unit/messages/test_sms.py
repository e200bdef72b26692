"""What a text costs as SMS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.messages.sms import PART, SINGLE, Alphabet, Segments, count, fold, split

_GSM_TEXT = st.text(alphabet="ab ÄñΩ@{}€[]\n", max_size=700)
_ANY_TEXT = st.text(alphabet=st.sampled_from("aЖ😀🇰ү́€"), max_size=400)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments(Alphabet.GSM7, 0, 1)),
        ("a" * 160, Segments(Alphabet.GSM7, 160, 1)),
        ("a" * 161, Segments(Alphabet.GSM7, 161, 2)),
        ("a" * 306, Segments(Alphabet.GSM7, 306, 2)),
        ("a" * 307, Segments(Alphabet.GSM7, 307, 3)),
        ("€" * 80, Segments(Alphabet.GSM7, 160, 1)),
        ("a" * 152 + "€" * 77, Segments(Alphabet.GSM7, 306, 3)),
        ("ж" * 70, Segments(Alphabet.UCS2, 70, 1)),
        ("ж" * 71, Segments(Alphabet.UCS2, 71, 2)),
        ("ж" * 134, Segments(Alphabet.UCS2, 134, 2)),
        ("ж" * 135, Segments(Alphabet.UCS2, 135, 3)),
        ("😀" * 35, Segments(Alphabet.UCS2, 70, 1)),
        ("😀" * 67, Segments(Alphabet.UCS2, 134, 3)),
        ("`", Segments(Alphabet.UCS2, 1, 1)),
        ("ç", Segments(Alphabet.UCS2, 1, 1)),
        ("Ç", Segments(Alphabet.GSM7, 1, 1)),
    ],
)
def test_count(text: str, expected: Segments) -> None:
    """160/153 septets, 70/67 code units; an escape or surrogate pair is never cut, so a part may hold one less."""
    assert count(text) == expected


def test_default_alphabet_is_whole() -> None:
    """The default alphabet has 127 signs besides the escape, the extension table ten."""
    basic = [chr(point) for point in range(0x3000) if count(chr(point)) == Segments(Alphabet.GSM7, 1, 1)]
    extended = [chr(point) for point in range(0x3000) if count(chr(point)) == Segments(Alphabet.GSM7, 2, 1)]

    assert (len(basic), len(extended)) == (127, 10)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Uchqoʻrgʻon", "Uchqo'rg'on"),
        ("maʼlum ‘a’", "ma'lum 'a'"),
        ("«Нан» “x” ”y”", '"Нан" "x" "y"'),
        ("a — b – c…", "a - b - c..."),
        ("18\u00a0км", "18 км"),
        ("Ж ў ө қ", "Ж ў ө қ"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    """Typographic signs become plain ones; letters never change."""
    assert fold(text) == folded


def test_folding_halves_uzbek_latin() -> None:
    """The modifier apostrophe of Uzbek Latin would make two UCS-2 parts of one GSM-7 message."""
    text = "FVV: SEL XAVFI, Uchqoʻrgʻon. Daryodan uzoqlashing, baland joyga chiqing. 18:00 gacha."

    assert count(text).parts == 2
    assert count(fold(text)) == Segments(Alphabet.GSM7, 85, 1)


@given(st.one_of(_GSM_TEXT, _ANY_TEXT))
def test_split_is_what_was_counted(text: str) -> None:
    """The parts joined are the text, there are as many as counted, and each fits without half a pair."""
    found, parts = count(text), split(text)
    room = (SINGLE if len(parts) == 1 else PART)[found.alphabet]

    assert "".join(parts) == text
    assert len(parts) == found.parts
    assert sum(_units(part, found.alphabet) for part in parts) == found.units
    assert max(_units(part, found.alphabet) for part in parts) <= room


def _units(part: str, alphabet: Alphabet) -> int:
    """Count independently: UTF-16 code units, or septets with an escape before the extension table's signs."""
    if alphabet is Alphabet.UCS2:
        return len(part.encode("utf-16-be")) // 2
    return len(part) + sum(part.count(char) for char in "\f^{}\\[~]|€")


@given(_ANY_TEXT)
def test_longer_texts_never_cost_less(text: str) -> None:
    """A beginning of a text never needs more parts than the whole: shortening relies on it."""
    assert count(text[: len(text) // 2]).parts <= count(text).parts
