"""Alert text made safe to show: no controls, no bidi overrides, one way to write a line break.

Nothing here interprets the text; braces, percent signs and markup stay what the agency wrote.
"""

from __future__ import annotations

import re

from relay.messages.graphemes import shorten

_BREAKS = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
# C0 and C1 controls, bidi embeddings, overrides and isolates (U+202A–202E, U+2066–2069: they can make a text read
# as its opposite), interlinear marks, lone surrogates, the byte order mark and noncharacters.
_REMOVED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff\ufeff\ufffe\uffff]"
)
_SPACES = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
_WHITE = re.compile(r"\s+")


LONGEST = 20_000
"""Characters of one text that are shown at all; the longest real descriptions have half of them."""


def block(text: str) -> str:
    r"""Return ``text`` for a place that has lines: breaks are ``\n``, at most one line stays empty between two.

    What is longer than :data:`LONGEST` ends in ``...``.
    """
    if text.isprintable() and len(text) <= LONGEST:
        return " ".join(text.split())  # nothing to remove, and no space but the plain one: nearly always
    if len(text) > LONGEST:
        return block(shorten(text[: LONGEST + 1], lambda piece: len(piece) <= LONGEST))
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    text = _SPACES.sub(" ", _REMOVED.sub("", text))
    lines = (line.strip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def line(text: str) -> str:
    """Return ``text`` for a place that has one line: every break and run of white space is one space."""
    return _WHITE.sub(" ", block(text)).strip()
