"""What a reader takes for one character, so that a shortened text is never cut inside it.

A compact form of the extended grapheme clusters of UAX #29, from ``unicodedata`` alone.  Covered: combining and
spacing marks, variation selectors, emoji modifiers, tags and ZWJ sequences, flags, Hangul syllables, Thai and Lao
AM, Arabic and Syriac number signs, consonants joined by a virama.  Where it differs from the standard it joins more,
never less, than a reader expects.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

_ZWJ = "\u200d"
_JOINING = frozenset("\u200c\u200d\u0e33\u0eb3")
_PREPENDED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")


def _is_mark(char: str) -> bool:
    point = ord(char)
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me")
        or char in _JOINING
        or 0x1F3FB <= point <= 0x1F3FF  # skin tones
        or 0xE0020 <= point <= 0xE007F  # tags of subdivision flags
    )


def _is_flag_letter(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _hangul(char: str) -> str:
    """Return L, V, T, LV or LVT for a part of a Hangul syllable, else an empty string."""
    point = ord(char)
    if 0xAC00 <= point <= 0xD7A3:
        return "LV" if (point - 0xAC00) % 28 == 0 else "LVT"
    for kind, first, last in _JAMO:
        if first <= point <= last:
            return kind
    return ""


_JAMO = (
    ("L", 0x1100, 0x115F),
    ("V", 0x1160, 0x11A7),
    ("T", 0x11A8, 0x11FF),
    ("L", 0xA960, 0xA97C),
    ("V", 0xD7B0, 0xD7C6),
    ("T", 0xD7CB, 0xD7FB),
)
_HANGUL_JOINS = {"L": ("L", "V", "LV", "LVT"), "LV": ("V", "T"), "V": ("V", "T"), "LVT": ("T",), "T": ("T",)}


def _joins(cluster: str, char: str) -> bool:
    """Return whether ``char`` belongs to the cluster before it."""
    last = cluster[-1]
    if (last, char) == ("\r", "\n"):
        return True
    if unicodedata.category(last) == "Cc":
        return False
    if _is_mark(char) or last in _PREPENDED:
        return unicodedata.category(char) != "Cc"
    if _is_flag_letter(last) and _is_flag_letter(char):
        return sum(map(_is_flag_letter, cluster)) % 2 == 1
    return _joins_by_kind(last, char)


def _joins_by_kind(last: str, char: str) -> bool:
    """Return whether two neighbours form a ZWJ sequence, a conjunct or a Hangul syllable."""
    if last == _ZWJ and (unicodedata.category(char) == "So" or ord(char) >= 0x1F000):
        return True
    if unicodedata.combining(last) == 9 and unicodedata.category(char) == "Lo":
        return True
    return _hangul(char) in _HANGUL_JOINS.get(_hangul(last), ())


def clusters(text: str) -> Iterator[str]:
    """Yield what a reader takes for single characters, in order; joined they are ``text``."""
    cluster = ""
    for char in text:
        if cluster and not _joins(cluster, char):
            yield cluster
            cluster = ""
        cluster += char
    if cluster:
        yield cluster


def shorten(text: str, fits: Callable[[str], bool], *, mark: str = "...") -> str:
    """Return ``text``, or its longest beginning that ``fits`` together with ``mark``.

    It is cut after a whole word where that loses less than half, else after a whole cluster, and is empty when not
    even one cluster fits.  ``fits`` must not accept a text when it refuses a beginning of that text.
    """
    if fits(text):
        return text
    ends = [0]
    for cluster in clusters(text):
        ends.append(ends[-1] + len(cluster))
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[: ends[middle]].rstrip() + mark):
            low = middle
        else:
            high = middle - 1
    cut = text[: ends[low]]
    if text[ends[low] : ends[low] + 1].strip():  # the next character is not white space: a word was cut
        whole = cut.rpartition(" ")[0]
        cut = whole if len(whole) * 2 >= len(cut) else cut
    cut = cut.rstrip(" ,;:.-(\r\n")
    return cut + mark if cut else ""
