"""Whitespace-separated lists whose values may stand in quotes: ``addresses`` and ``incidents`` (CAP-v1.2-os §3.2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')
_PLAIN = re.compile(r'[^\s"]+')


def read_words(text: str) -> tuple[str, ...] | None:
    """Return the values of a list, without their quotes; None when a quotation mark is not closed."""
    if not text:
        return ()
    if text.count('"') % 2:
        return None
    return tuple([quoted or plain for quoted, plain in _WORD.findall(text) if quoted.strip() or plain])


def write_words(words: Iterable[str]) -> str:
    """Return the values as CAP writes them; a value with spaces goes in quotes."""
    return " ".join([word if _PLAIN.fullmatch(word) else f'"{word}"' for word in words])
