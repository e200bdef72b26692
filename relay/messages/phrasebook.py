"""The structural words around an alert's own text, per language; the tables are ``phrases/*.toml``.

A table says whether a native reader approved it.  Structural words of a draft are used all the same (the choice
would be two languages in one message), so the number of drafts is something an operator must be shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from relay.cap.language import DEFAULT_LANGUAGE, primary, script, script_of

LANGUAGES = ("en", "ru", "kk", "ky")

# Languages in Cyrillic script whose readers are better served by English words than by Russian ones: a warning in
# Ukrainian or Bulgarian with Russian words around it looks forged.
_NOT_RUSSIAN = frozenset({"uk", "bg", "sr", "mk", "mn", "bs", "cnr"})
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """One table: ``endings`` and ``spoken`` are explained in the files."""

    language: str
    script: str
    status: str
    approved_by: str
    approved_on: str
    months: tuple[str, ...]
    words: Mapping[str, str]
    endings: Mapping[str, str]
    spoken: Mapping[str, str]

    @property
    def approved(self) -> bool:
        """Whether a named native reader checked this table."""
        return self.status == "approved" and bool(self.approved_by and self.approved_on)

    def say(self, key: str, **values: object) -> str:
        """Return the phrase ``key`` with its fields filled once; braces in a value stay literal.

        Raises:
            KeyError: no such phrase, or a field without a value (a mistake in our code or table).
        """
        return _FIELD.sub(lambda field: str(values[field[1]]), self.words[key])

    def ending(self, minutes: int) -> str:
        """Return the grammatical ending of a time whose last spoken number is ``minutes``; empty where none exists."""
        last = minutes if minutes % 10 == 0 else minutes % 10
        return self.endings.get(str(last), "")


@cache
def table(name: str) -> Phrases:
    """Return the table of one of :data:`LANGUAGES`; it is read once."""
    text = files("relay.messages").joinpath("phrases", f"{name}.toml").read_text(encoding="utf-8")
    loaded = tomllib.loads(text)
    return Phrases(**{**loaded, "months": tuple(loaded["months"])})


def drafts() -> tuple[str, ...]:
    """Return the languages whose table no native reader has approved yet."""
    return tuple(name for name in LANGUAGES if not table(name).approved)


def table_for(language: str, sample: str = "") -> Phrases:
    """Return the structural words for a text in ``language`` that begins like ``sample``.

    Without a table of its own a text gets English words, or Russian ones when it is written in Cyrillic script (in
    the region this is made for, who reads Uzbek or Tajik in Cyrillic reads Russian).  Cyrillic text said to be
    English, CAP's default that many tools leave in place, gets Russian words too.
    """
    name = primary(language or DEFAULT_LANGUAGE)
    written = script(language) or script_of(sample)
    if name in LANGUAGES and (name, written) != ("en", "Cyrl") and script(language) in ("", table(name).script):
        return table(name)
    return table("ru" if written == "Cyrl" and name not in _NOT_RUSSIAN else "en")
