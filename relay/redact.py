"""What must not be in a log, taken out of it: a second line of defence behind not logging it at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST_FIELD = 2048
"""Bytes of UTF-8 that one text may have in a log."""

MOST_ITEMS = 64
DEEPEST = 12

_SECRET_NAMES = frozenset(
    {"password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "body", "text", "headers", "key"}
)
_MASK = "***"
_SHORT = 40
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"whsec_[A-Za-z0-9+/=_-]+"), "whsec_***"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~:-]+", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"(?<=://)[^/\s@]+@"), "***@"),
    (re.compile(r"(/a/)[A-Za-z0-9_-]{8,}"), r"\1***"),
    (re.compile(r"\b(?:chapar|ck|key)_[A-Za-z0-9_-]{12,}"), _MASK),
    (re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9_-]{40,}={0,2}(?![A-Za-z0-9+/_-])"), _MASK),
    (re.compile(r"[^\s@<>\"'(),;:/*]+@(?=[\w-]+(?:\.[\w-]+)+)"), "***@"),
    # A number that a phone could have: the last two digits are enough to recognise one's own test number.
    (re.compile(r"\+\d[\d\s().-]{5,}(\d{2})(?!\d)"), r"+***\1"),
    (re.compile(r"(?<![\w.:+-])\d{8,13}(\d{2})(?![\w.:-])"), r"***\1"),
)


def redact(value: object, *, depth: int = DEEPEST) -> object:
    """Return ``value`` with phone numbers, mailboxes and secrets masked and long texts cut, however deep they are."""
    if isinstance(value, str):
        return mask(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth <= 0:
        return _MASK
    if isinstance(value, Mapping):
        return redact_fields(value, depth=depth)
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth=depth - 1) for item in list(value)[:MOST_ITEMS]]
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return mask(str(value))


def redact_fields(fields: Mapping[Any, object], *, depth: int = DEEPEST) -> dict[str, object]:
    """Return ``fields`` masked; what a name calls a secret or a body is masked whole."""
    kept = fields.items() if len(fields) <= MOST_ITEMS else list(fields.items())[:MOST_ITEMS]
    return {
        str(name): _MASK if str(name).lower() in _SECRET_NAMES else redact(value, depth=depth - 1)
        for name, value in kept
    }


def mask(text: str) -> str:
    """Mask what looks like a phone number, a mailbox or a secret in one text, and cut it to two KiB."""
    if len(text) < _SHORT and text.isascii() and text.replace("-", "").isalnum() and not text.isdecimal():
        return text  # a word or an id: no rule fits, and nearly every field of a log is one
    text = cut(text)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def cut(text: str) -> str:
    """Return at most two KiB of ``text``, and say how much is missing."""
    if len(text) * 4 <= LONGEST_FIELD:
        return text
    raw = text.encode("utf-8", "replace")
    if len(raw) <= LONGEST_FIELD:
        return text
    kept = raw[: LONGEST_FIELD - 32].decode("utf-8", "ignore")
    return f"{kept}… ({len(raw)} bytes)"
