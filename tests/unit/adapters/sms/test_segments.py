"""Cutting texts into parts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sms.segments import _SEPARATE, Cut, TooLong, _cut_joined, _cut_ucs2, cut, whole
from relay.messages import sms
from relay.testing.smsc_text import read_piece, show

LETTERS = "aZ €{}[]^|~\\éжқөұ1234 \u0301🌊👨\u200d👩🇰🇿🏽\u0654ا"


def shown(parts: Cut, coding: int) -> str:
    """What a phone shows of ``parts`` in order."""
    pieces = [read_piece(payload, 0x40 if len(parts.pieces) > 1 else 0) for payload in parts.payloads(7)]
    return "".join(show(piece.octets, coding, room=140 - 6 * (len(pieces) > 1)) for piece in pieces)


@given(st.text(st.sampled_from(LETTERS), max_size=600))
def test_phone_shows_what_was_written(text: str) -> None:
    """Every part is whole characters by itself, fits, and together they are the text."""
    parts = cut(text)

    assert shown(parts, 8 if parts.ucs2 else 0) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_can_be_cut(text: str) -> None:
    """No text breaks the cutter."""
    parts = cut(text)

    assert shown(parts, 8 if parts.ucs2 else 0) == text


def test_separate_letters_are_separate() -> None:
    """The short cut's letters are one unit each and never part of a grapheme with others."""
    letters = [char for char in map(chr, range(0x10000)) if _SEPARATE.fullmatch(char)]

    assert len(letters) > 1000
    assert {unicodedata.category(char)[0] for char in letters}.isdisjoint("M")
    assert {"\u200d", "\r"}.isdisjoint(letters)
    assert set("әғқңөұүһіӘүҷӯҳғңөүўғәıöüşçğñžýوپچژگکیە«»…–—№") <= set(letters)


@given(st.text(st.sampled_from("aж ұқ9…ы\n"), min_size=1, max_size=400))
def test_separate_letters_are_cut_as_all_are(text: str) -> None:
    """The short cut gives the parts that the long way gives."""
    assert _cut_ucs2(text) == _cut_joined(text)


@pytest.mark.parametrize(
    ("text", "ucs2", "parts"),
    [
        ("", False, 1),
        ("a" * 160, False, 1),
        ("a" * 161, False, 2),
        ("a" * 306, False, 2),
        ("a" * 307, False, 3),
        ("€" * 80, False, 1),
        ("a" + "€" * 80, False, 2),
        ("ж" * 70, True, 1),
        ("ж" * 71, True, 2),
        ("ж" * 134, True, 2),
        ("ж" * 135, True, 3),
        ("🌊" * 35, True, 1),
        ("🌊" * 36, True, 2),
    ],
)
def test_limits(text: str, ucs2: bool, parts: int) -> None:
    """160 and 153 septets, 70 and 67 units; a euro sign counts twice."""
    result = cut(text)

    assert (result.ucs2, len(result.pieces)) == (ucs2, parts)


def test_escape_pair_stays_whole() -> None:
    """A euro sign that would straddle the border goes to the next part."""
    result = cut("a" * 152 + "€" + "b" * 20)

    assert [len(piece) for piece in result.pieces] == [152, 22]


def test_surrogate_pair_stays_whole() -> None:
    """An emoji that would straddle the border goes to the next part."""
    result = cut("ж" * 66 + "🌊" + "ж" * 20)

    assert [len(piece) // 2 for piece in result.pieces] == [66, 22]


@pytest.mark.parametrize("grapheme", ["и\u0306", "ب\u0654\u0651", "👨\u200d👩\u200d👧", "👍🏽", "🇰🇿", "\r\n", "🏔️"])
def test_grapheme_stays_whole(grapheme: str) -> None:
    """A letter is not parted from its marks, nor a family, a flag or a skin tone."""
    for lead in range(50, 68):
        text = "ж" * lead + grapheme + "ж" * 40
        pieces = [piece.decode("utf-16-be") for piece in cut(text).pieces]

        assert any(grapheme in piece for piece in pieces), lead
        assert not any(unicodedata.category(piece[0]).startswith("M") for piece in pieces)


def test_endless_grapheme_is_cut_anyway() -> None:
    """A letter with two hundred marks still travels."""
    text = "а" + "\u0301" * 200

    assert shown(cut(text), 8) == text


def test_whole_graphemes_cost_no_part() -> None:
    """When keeping a letter with its mark would need one part more, the number of parts wins."""
    text = "ж" * 66 + "и\u0306" + "ж" * 66

    assert [len(piece) // 2 for piece in cut(text).pieces] == [67, 67]


@given(st.text(st.sampled_from(LETTERS), max_size=600))
def test_renderer_counts_the_same(text: str) -> None:
    """The parts that are sent are the parts that the core counted, for the rate and for the length of the message."""
    counted = sms.count(text)

    assert (len(cut(text).pieces), cut(text).ucs2) == (counted.parts, counted.alphabet is sms.Alphabet.UCS2)


def test_flags_are_parted_between_flags() -> None:
    """A row of flags is cut after a whole flag."""
    pieces = [piece.decode("utf-16-be") for piece in cut("🇰🇿" * 40).pieces]

    assert [len(piece) % 2 for piece in pieces] == [0] * len(pieces)


def test_header() -> None:
    """Parts carry the 8-bit concatenation header; a single part none."""
    assert [payload[:6].hex() for payload in cut("a" * 400).payloads(0x1AB)] == [
        "050003ab0301",
        "050003ab0302",
        "050003ab0303",
    ]
    assert cut("a").payloads(1) == (b"a",)


def test_too_long() -> None:
    """More than 255 parts cannot be numbered."""
    assert len(cut("a" * 153 * 255).pieces) == 255
    with pytest.raises(TooLong):
        cut("a" * (153 * 255 + 1))
    with pytest.raises(TooLong):
        whole("ж" * 32768)


def test_lone_surrogate_is_replaced() -> None:
    """Half a pair is not text; the rest of the message is not lost for it."""
    assert shown(cut("ж\ud83c!"), 8) == "ж\ufffd!"
