from __future__ import annotations

from relay.cap.words import read_words, write_words


def test_quotes_hold_words_together() -> None:
    """CAP-009: values with spaces stand in quotes."""
    assert read_words('group:rescue  "Almaty City Hospital"\n+77010000001') == (
        "group:rescue",
        "Almaty City Hospital",
        "+77010000001",
    )
    assert read_words("") == ()


def test_open_quote_is_an_error() -> None:
    """BI-157: a quotation mark that is not closed says nothing sure."""
    assert read_words('"Almaty City') is None


def test_writing_and_reading_agree() -> None:
    """What is written is read back."""
    words = ("one", "two three", "four")

    assert read_words(write_words(words)) == words
