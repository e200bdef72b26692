"""What a verdict says."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest

from relay.intake.verdict_words import _SENTENCES, say


@pytest.mark.parametrize("key", _SENTENCES)
def test_every_sentence_exists_in_both_languages(key: str) -> None:
    """English and Russian say the same: same values, and no language is left empty or untranslated."""
    _, english, russian = _SENTENCES[key]
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, russian)]
    values: dict[str, Any] = dict.fromkeys(fields[0], "7")
    finding = say(key, path="/alert", line=4, **values)

    assert fields[0] == fields[1]
    assert re.search("[а-я]", finding.message_ru)
    assert not re.search("[а-я]", finding.message)
    assert finding.severity == "warning"
    assert (finding.path, finding.line) == ("/alert", 4)
    assert finding.rule.startswith("RELAY-")


def test_an_unknown_sentence() -> None:
    """A mistyped key is found by the first test that uses it."""
    with pytest.raises(KeyError):
        say("no-such-sentence")
