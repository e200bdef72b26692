"""Characters that no text of an alert may hold: controls, and marks that turn the reading direction round."""

from __future__ import annotations

import re
from typing import NamedTuple

_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\u202a-\u202e]")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e")


class OddCharacter(NamedTuple):
    """The catalogue key that fits, and the character as ``U+nnnn``."""

    key: str
    code: str


def odd_character(text: str) -> OddCharacter | None:
    """Return the first character that may not stand in a text; line ends, tabs and U+0085 may."""
    if text.isprintable():  # the quick answer for nearly all texts
        return None
    odd = _ODD.search(text)
    if odd is None:
        return None
    character = odd.group()
    return OddCharacter("bidi" if character in _TURNING else "character", f"U+{ord(character):04X}")
