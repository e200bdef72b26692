"""Text for a voice: a screen reader, a siren or a loudspeaker.

No link, no word in capitals only (voices spell them), no abbreviation of the tables' ``[spoken]`` part.
"""

from __future__ import annotations

import re
from functools import cache

from relay.messages.clean import line
from relay.messages.phrasebook import Phrases

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{2,}")
_VOWELS = frozenset("AEIOUYАЕЁИОУЫЭЮЯӘӨҮҰІЎӢӮ")
_START = re.compile(r"(?:^|[.!?]\s+)[^\W\d_]")
_SIGNS = str.maketrans(dict.fromkeys('«»“”„"*_#|<>[]{}\\~^', " "))
_GAPS = re.compile(r"\s+(?=[.,;:!?])")


def speak(text: str, words: Phrases) -> str:
    """Return ``text`` as a voice should say it."""
    said = _LINK.sub(" ", line(text))
    for written in sorted(words.spoken, key=len, reverse=True):
        said = _whole(written).sub(f" {words.spoken[written]} ", said)
    said = _WORD.sub(lambda word: _calm(word[0]), said.translate(_SIGNS))
    said = _GAPS.sub("", line(said))
    return _START.sub(_capitalised, said)


def _capitalised(start: re.Match[str]) -> str:
    """Return the beginning of a sentence with its capital, unless that made a word of capitals ("kW")."""
    following = start.string[start.end() : start.end() + 1]
    return start[0] if following.isupper() else start[0].upper()


@cache
def _whole(written: str) -> re.Pattern[str]:
    """Return what finds an abbreviation that is no part of a word; a number may touch it ("5km")."""
    before = r"(?<![^\W\d_])" if written[0].isalnum() else ""
    after = r"(?!\w)" if written[-1].isalnum() else ""
    return re.compile(before + re.escape(written) + after)


def _calm(word: str) -> str:
    """Return a word of capitals in lower case, or letter by letter when it cannot be said as a word."""
    if not word.isupper():
        return word
    return word.lower() if _VOWELS.intersection(word) or len(word) > 4 else " ".join(word.lower())
