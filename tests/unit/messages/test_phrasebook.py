"""The tables of structural words."""

from __future__ import annotations

import re

import pytest

from relay.messages.phrasebook import LANGUAGES, drafts, table, table_for


@pytest.mark.parametrize("name", LANGUAGES)
def test_tables_are_complete(name: str) -> None:
    """Every table has the phrases of the English one, with the same fields except the grammatical ending."""
    ours, english = table(name), table("en")

    assert set(ours.words) == set(english.words)
    assert len(ours.months) == 12
    for key, phrase in ours.words.items():
        assert phrase.strip() == phrase != ""
        assert _fields(phrase) - {"ending", "date"} <= _fields(english.words[key]), key
        assert _fields(english.words[key]) <= _fields(phrase), key


def _fields(phrase: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", phrase))


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_table_does_not_approve_itself(name: str) -> None:
    """A table is a draft until somebody is named who checked it."""
    ours = table(name)

    assert ours.approved is (name not in drafts())
    assert ours.approved or ours.status == "draft"


def test_kazakh_and_kyrgyz_are_drafts() -> None:
    """Nobody who reads these languages natively has checked them yet."""
    assert {"kk", "ky"} <= set(drafts())


@pytest.mark.parametrize("name", ["kk", "ky"])
def test_every_minute_has_an_ending(name: str) -> None:
    """Whatever the time, its number is bent as the language asks."""
    assert all(table(name).ending(minute) for minute in range(60))


def test_say_fills_once() -> None:
    """Braces that come with a value stay literal."""
    assert table("en").say("page_answered", answer="{time} {answer}") == "You answered: {time} {answer}"


@pytest.mark.parametrize(
    ("language", "sample", "expected"),
    [
        ("kk-KZ", "", "kk"),
        ("kaz", "", "kk"),
        ("ru", "УГРОЗА", "ru"),
        ("", "EARTHQUAKE", "en"),
        ("", "Ветер, порывы", "ru"),
        ("en-US", "Ветер, порывы", "ru"),
        ("uz-Cyrl", "", "ru"),
        ("uz", "СЕЛ ХАВФИ", "ru"),
        ("uz-Latn", "SEL XAVFI", "en"),
        ("tg", "ХАТАРИ СЕЛ", "ru"),
        ("fa", "زلزله", "en"),
        ("uk", "ЗЕМЛЕТРУС", "en"),
        ("kk-Latn", "JER SILKINISI", "en"),
        ("kk-Arab", "", "en"),
    ],
)
def test_table_for(language: str, sample: str, expected: str) -> None:
    """A missing language gets Russian words around Cyrillic text of the region, else English ones."""
    assert table_for(language, sample).language == expected
