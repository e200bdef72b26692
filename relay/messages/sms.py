"""What a text costs as SMS: alphabet, units and parts (3GPP TS 23.038 §6.2.1, TS 23.040 §9.2.3.24.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# The default alphabet in the order of its codes 0x00–0x7F without ESC (0x1B).
_DEFAULT = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")  # each costs two septets: ESC and its code
_EXTENDED = re.compile("[" + re.escape("".join(sorted(_EXTENSION))) + "]")
_GSM7 = _DEFAULT | _EXTENSION

_FOLDS = str.maketrans(
    {
        **dict.fromkeys("\u02bb\u02bc\u2018\u2019\u201b\u2032`\u00b4", "'"),
        **dict.fromkeys("«»“”„‟″", '"'),
        **dict.fromkeys("‹›", "'"),
        **dict.fromkeys("\u2010\u2011\u2012–—―−", "-"),
        "…": "...",
        **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\t", " "),
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
    }
)


class Alphabet(StrEnum):
    """How the text is coded."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


SINGLE = {Alphabet.GSM7: 160, Alphabet.UCS2: 70}
"""Units in a message of one part: septets or UTF-16 code units."""

PART = {Alphabet.GSM7: 153, Alphabet.UCS2: 67}
"""Units in each part of a longer message: 140 bytes less the 6 of the concatenation header."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text costs: ``units`` are septets (GSM-7) or UTF-16 code units (UCS-2)."""

    alphabet: Alphabet
    units: int
    parts: int


def fold(text: str) -> str:
    """Return ``text`` with typographic apostrophes, quotes, dashes and spaces as plain ones.

    One such sign would turn a whole GSM-7 message into UCS-2 and double its price (Uzbek Latin always has them).
    """
    return text.translate(_FOLDS)


def alphabet(text: str) -> Alphabet:
    """Return the cheapest alphabet that can write ``text``."""
    return Alphabet.GSM7 if _GSM7.issuperset(text) else Alphabet.UCS2


def _cost(char: str, coded: Alphabet) -> int:
    if coded is Alphabet.GSM7:
        return 2 if char in _EXTENSION else 1
    return 2 if ord(char) > 0xFFFF else 1


def _units(text: str, coded: Alphabet) -> int:
    if coded is Alphabet.GSM7:
        return len(text) + len(_EXTENDED.findall(text))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def count(text: str) -> Segments:
    """Return alphabet, units and parts of ``text`` as it is; fold it first."""
    coded = alphabet(text)
    units = _units(text, coded)
    if units <= SINGLE[coded]:
        return Segments(coded, units, 1)
    # Where every character is one unit no part has a hole in its end.
    parts = -(-units // PART[coded]) if units == len(text) else sum(1 for _ in _parts(text, coded))
    return Segments(coded, units, parts)


def split(text: str) -> list[str]:
    """Return the parts of ``text`` as a service centre shows them; no escape or surrogate pair is cut in two."""
    found = count(text)
    return [text] if found.parts == 1 else list(_parts(text, found.alphabet))


def _parts(text: str, coded: Alphabet) -> Iterator[str]:
    """Yield the parts of a text that needs more than one."""
    start = used = 0
    for index, char in enumerate(text):
        cost = _cost(char, coded)
        if used + cost > PART[coded]:
            yield text[start:index]
            start, used = index, 0
        used += cost
    yield text[start:]
