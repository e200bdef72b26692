"""The words of the pages exist in both languages, with the same places to fill."""

import re
from collections.abc import Mapping
from string import Formatter

import pytest

from relay.cap.enumerations import VALUES
from relay.console import alarm_words, questions, sign_in, words
from relay.console.situation import CLASSES, WORDS
from relay.console.words import Say
from relay.tracking.report import STATES

TABLES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "words": words._WORDS,
    "alarms": alarm_words.ALARMS,
    "questions": questions._WORDS,
    "sign_in": sign_in._WORDS,
}


@pytest.mark.parametrize("table", TABLES)
def test_both_languages_say_the_same(table: str) -> None:
    """No sentence is missing in one language, or fills in something else there."""
    for key, (english, russian) in TABLES[table].items():
        places = [
            [name for _, name, _, _ in Formatter().parse(text) if name is not None] for text in (english, russian)
        ]
        assert sorted(places[0]) == sorted(places[1]), key
        assert bool(english) or bool(russian), key
        assert not re.search("[а-яё]", english.replace("Русский", "")), key


def test_no_word_has_two_meanings() -> None:
    """Tables that are used together do not hide each other's words."""
    assert not words._WORDS.keys() & alarm_words.ALARMS.keys()
    assert not words._WORDS.keys() & questions._WORDS.keys()
    assert not words._WORDS.keys() & (sign_in._WORDS.keys() - {"sign_out"})


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_state_has_a_word(language: str) -> None:
    """States, classes, channels and the five words are said in the reader's language."""
    say = Say(language)
    keys = [
        *WORDS,
        *(f"state_{state}" for state in STATES),
        *(f"class_{klass}" for klass in CLASSES),
        *(f"status_{status}" for status in VALUES["status"]),
        *(f"channel_{state}" for state in ("ok", "failing", "paused", "stopped", "unknown")),
    ]
    missing = [key for key in keys if key not in words._WORDS]

    assert not missing
    assert say.state("state", "teleported") == "teleported"


def test_another_language_reads_english() -> None:
    """A language that we do not have falls back."""
    assert Say("kk")("held") == Say("en")("held") == "Held"
