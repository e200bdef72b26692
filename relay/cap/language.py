"""Language tags: which ``info`` a person can read, and in which direction.

Tags are those of RFC 3066 and BCP 47 as agencies really write them: any case, ``_`` for ``-``, three-letter codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

DEFAULT_LANGUAGE = "en-US"
"""What an ``info`` without ``language`` is in (CAP 1.2 §3.2.2)."""

# ISO 639-2 codes and retired 639-1 codes that agencies write for languages this product is used in.
_ALIASES = {
    "eng": "en", "rus": "ru", "kaz": "kk", "kir": "ky", "uzb": "uz", "tgk": "tg", "tuk": "tk", "aze": "az", "fas": "fa",
    "per": "fa", "pus": "ps", "prs": "fa", "iw": "he", "in": "id", "ji": "yi", "tat": "tt", "uig": "ug", "mon": "mn",
}  # fmt: skip

_RTL_SCRIPTS = frozenset({"Arab", "Aran", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg", "Mand", "Samr"})
_RTL_LANGUAGES = frozenset(
    {"ar", "azb", "ckb", "dv", "fa", "glk", "he", "mzn", "pnb", "ps", "sd", "syr", "ug", "ur", "yi"}
)

# First and last code point of the letters that tell a script; the commonest in the text decides.
_RANGES = (
    ("Latn", 0x41, 0x24F),
    ("Grek", 0x370, 0x3FF),
    ("Cyrl", 0x400, 0x52F),
    ("Armn", 0x530, 0x58F),
    ("Hebr", 0x590, 0x5FF),
    ("Arab", 0x600, 0x6FF),
    ("Syrc", 0x700, 0x74F),
    ("Arab", 0x750, 0x77F),
    ("Thaa", 0x780, 0x7BF),
    ("Deva", 0x900, 0x97F),
    ("Geor", 0x10A0, 0x10FF),
    ("Latn", 0x1E00, 0x1EFF),
    ("Hang", 0xAC00, 0xD7A3),
    ("Hani", 0x4E00, 0x9FFF),
    ("Arab", 0xFB50, 0xFDFF),
    ("Arab", 0xFE70, 0xFEFF),
)
_SAMPLE = 100  # letters that are looked at; the first lines of an alert tell its script


def normal(tag: str) -> str:
    """Return ``tag`` in lower case with ``-``; an empty tag is CAP's default."""
    return tag.strip().replace("_", "-").lower() or DEFAULT_LANGUAGE.lower()


def primary(tag: str) -> str:
    """Return the language itself: ``kk`` for ``kk-KZ``, ``kaz`` and ``KK``; a private tag (``x-…``) stays whole."""
    whole = normal(tag)
    if whole.startswith(("x-", "i-")):
        return whole
    first = whole.split("-", 1)[0]
    return _ALIASES.get(first, first)


def same_language(a: str, b: str) -> bool:
    """Return whether two tags name one language, whatever the country or script."""
    return primary(a) == primary(b)


def script(tag: str) -> str:
    """Return the script that ``tag`` states (``Latn`` in ``uz-Latn-UZ``), or an empty string."""
    for part in normal(tag).split("-")[1:]:
        if len(part) == 1:  # an extension or private part follows: no script after it
            return ""
        if len(part) == 4 and part.isalpha():
            return part.title()
    return ""


def script_of(text: str) -> str:
    """Return the commonest script of the letters in ``text``, or an empty string when it has none we know."""
    counts: dict[str, int] = {}
    letters = 0
    for char in text:
        if not char.isalpha():
            continue
        name = _script_of_letter(ord(char))
        counts[name] = counts.get(name, 0) + 1
        letters += 1
        if letters == _SAMPLE:
            break
    return max(counts, key=lambda name: counts[name]) if counts else ""


@lru_cache(maxsize=4096)
def _script_of_letter(point: int) -> str:
    return next((name for name, first, last in _RANGES if first <= point <= last), "")


def is_rtl(tag: str) -> bool:
    """Return whether the language is written from right to left; a stated script decides before the language."""
    stated = script(tag)
    return stated in _RTL_SCRIPTS if stated else primary(tag) in _RTL_LANGUAGES


def best(info_languages: Sequence[str], wanted: Sequence[str]) -> int | None:
    """Return the index of the language to read, or None when nothing wanted exists.

    The first wanted language that exists wins.  Within it the exact tag comes first, then a tag whose stated script
    does not contradict (``uz`` for ``uz-Latn``), then the language in any script.
    """
    for want in wanted:
        if not want.strip():
            continue
        ranks = [(_rank(have, want), index) for index, have in enumerate(info_languages)]
        found = min(ranks, default=(_NONE, 0))
        if found[0] < _NONE:
            return found[1]
    return None


_NONE = 3


def _rank(have: str, want: str) -> int:
    """Return 0 for the same tag, 1 for a compatible one, 2 for the language alone, 3 for another language."""
    if normal(have) == normal(want):
        return 0
    if not same_language(have, want):
        return _NONE
    return 2 if script(have) and script(want) and script(have) != script(want) else 1
