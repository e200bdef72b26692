"""The page behind a link: the whole alert in the reader's language, and two buttons.

It works on an old phone: one response under 10 KB, no script, nothing loaded from elsewhere.  A GET shows it and
changes nothing; its form posts to the address it was read from.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache

from markupsafe import Markup

from relay.cap.language import same_language
from relay.messages import templating
from relay.messages.graphemes import shorten
from relay.messages.message import Message
from relay.messages.phrasebook import LANGUAGES, table
from relay.messages.sheet import Sheet, sheet_of
from relay.messages.status import banner, status_word

LIMIT = 10_000
"""Bytes of a page in UTF-8, so that it comes within seconds over a 2G link."""

# What gives way, in this order, when an alert is too long for a page.  The instruction gives way last.
_GIVING_WAY = ("description", "note", "areas", "contact", "source", "web", "event", "headline", "instruction")

ANSWERS = {"1": "received", "2": "need_help"}
"""What a digit means, as a key of the phrase tables."""


class Standing(StrEnum):
    """Whether the alert still holds while somebody reads it; the values are keys of the phrase tables."""

    OPEN = ""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the reader answered last: a digit, and whether it came after the alert had ended."""

    digit: str
    late: bool = False
    at: datetime | None = None


def ack_page(message: Message, *, standing: Standing, answer: Answer | None) -> str:
    """Return the page of ``GET`` and ``POST /a/{token}``, at most :data:`LIMIT` bytes of UTF-8."""
    sheet = sheet_of(message)
    html = _page(message, sheet, standing=standing, answer=answer)
    for field in _GIVING_WAY:
        excess = len(html.encode()) - LIMIT
        if excess <= 0:
            break
        sheet = _with_less(sheet, field, excess)
        html = _page(message, sheet, standing=standing, answer=answer)
    return html


def unknown_page() -> str:
    """Return the page of a link that leads nowhere: always the same, so that nobody can learn which links exist."""
    return templating.page("unknown.html", languages=[table(name) for name in LANGUAGES], style=_style())


@cache
def style_source() -> str:
    """Return what a Content-Security-Policy needs in ``style-src`` for these pages: the hash of their only style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()}'"


@cache
def _style() -> Markup:
    return Markup(templating.source("page.css").strip())  # noqa: S704 - our own file, without a value in it


def _page(message: Message, sheet: Sheet, *, standing: Standing, answer: Answer | None) -> str:
    words = message.words
    html = templating.page(
        "ack.html",
        sheet=sheet,
        say=words.say,
        style=_style(),
        standing=standing.value,
        answer=answer.digit if answer is not None else "",
        answered=_answered(message, answer),
        late=answer is not None and answer.late,
        foreign=not same_language(sheet.language, words.language),
        words_language=words.language,
    )
    return banner(html, status_word(message.alert, words), note=words.say("not_real"))


def _answered(message: Message, answer: Answer | None) -> str:
    if answer is None:
        return ""
    key = ANSWERS.get(answer.digit)
    said = f"{answer.digit} {message.words.say(key)}" if key is not None else answer.digit
    when = f" ({message.calendar.short(answer.at)})" if answer.at is not None else ""
    return message.words.say("page_answered", answer=said) + when


def _with_less(sheet: Sheet, field: str, excess: int) -> Sheet:
    """Return ``sheet`` with ``field`` shorter by ``excess`` bytes of the page, or empty."""
    if field == "areas":
        names = ", ".join(sheet.areas)
        return replace(sheet, areas=tuple(filter(None, [_less(names, excess)])))
    text = _less(getattr(sheet, field), excess)
    return replace(sheet, **{field: text})  # type: ignore[arg-type]  # all others of _GIVING_WAY are texts


def _less(text: str, excess: int) -> str:
    room = _size(text) - excess
    if room <= 0 or not text:
        return ""
    # No text of more characters than bytes fits, and a megabyte need not be looked at.
    return shorten(text[: room + 1], lambda piece: _size(piece) <= room)


def _size(text: str) -> int:
    """Return the bytes of ``text`` in a page."""
    return len(Markup.escape(text).encode())
