"""The status word: drills and tests are told as such before anything else, whatever a template does.

The core applies these functions to what a template returned, so no template can leave the word out (design §2.7).
"""

from __future__ import annotations

import re
from html import escape

from relay.cap.model import Alert
from relay.messages.clean import line
from relay.messages.phrasebook import Phrases

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


def status_word(alert: Alert, words: Phrases) -> str:
    """Return an empty string for an Actual alert, else the word; an unknown status is shown as it is."""
    if alert.status == "Actual":
        return ""
    key = f"status_{alert.status}"
    return words.say(key) if key in words.words else line(alert.status).upper() or words.say("status_Test")


def first(text: str, word: str) -> str:
    """Return ``text`` with the status word as its first sentence."""
    return f"{word}. {text}" if word else text


def banner(html: str, word: str, *, note: str = "", style: str = "") -> str:
    """Return a page with the status word first in its title and its body, ``note`` beside it in the body."""
    if not word:
        return html
    html = html.replace("<title>", f"<title>{escape(word)}. ", 1)
    attribute = f' style="{escape(style)}"' if style else ""
    shown = f'<p class="status"{attribute}><strong>{escape(word)}.</strong> {escape(note)}</p>'
    body = _BODY.search(html)
    at = body.end() if body is not None else 0
    return f"{html[:at]}{shown}{html[at:]}"
