"""Render: one alert, as one group of recipients reads it, on one kind.

Everything personal is a hole, so the work is done once per variant and kind and not once per recipient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from relay.adapter import Content, Kind, Template
from relay.messages import templating
from relay.messages.holes import template_of
from relay.messages.hook import document, plain_text
from relay.messages.mail import mail
from relay.messages.message import Message
from relay.messages.phrasebook import LANGUAGES, Phrases, table
from relay.messages.short import sms_text
from relay.messages.sms import fold
from relay.messages.speech import speak
from relay.messages.status import banner, first, status_word

_BANNER = "margin:0 0 16px;padding:12px;border:3px solid #111;background:#ffe08a;color:#111;font-size:20px"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a template returned, before the status word is put first; ``html`` may hold markers of holes."""

    text: Template
    subject: str = ""
    html: str = ""
    speech: str = ""


def render(message: Message, kind: Kind) -> Content:
    """Return what every recipient of this variant gets on ``kind``; the caller adds ``cap`` where it is sent.

    The values of the holes in ``body`` go through :func:`relay.messages.holes.json_value` first.
    """
    words = message.words
    word = status_word(message.alert, words)
    rendered = with_status(_rendered(message, kind, word), word, words)
    content = Content(
        language=message.text_language,
        rtl=message.rtl,
        text=rendered.text,
        subject=rendered.subject,
        html=template_of(rendered.html) if rendered.html else None,
    )
    if kind is not Kind.WEBHOOK:
        return content
    return replace(content, body=document(message, text=rendered.text.fill({}), speech=rendered.speech))


def _rendered(message: Message, kind: Kind, word: str) -> Rendered:
    match kind:
        case Kind.SMS:
            return Rendered(text=sms_text(message, prefix=first("", word)))
        case Kind.EMAIL:
            made = mail(message)
            return Rendered(text=template_of(made.text), subject=made.subject, html=made.html)
        case Kind.WEBHOOK:
            text = plain_text(message)
            return Rendered(text=Template((text,)), speech=speak(text, message.words))


def with_status(rendered: Rendered, word: str, words: Phrases) -> Rendered:
    """Return ``rendered`` with the status word first in everything that somebody reads or hears (design §2.7).

    It is the last thing done to them, so that no template can leave the word out.
    """
    if not word:
        return rendered
    return Rendered(
        text=Template((fold(first("", word)), *rendered.text.parts)),
        subject=first(rendered.subject, word) if rendered.subject else "",
        html=banner(rendered.html, word, note=words.say("not_real"), style=_BANNER) if rendered.html else "",
        speech=f"{speak(first('', word), words)} {rendered.speech}" if rendered.speech else "",
    )


def warm() -> None:
    """Read the phrase tables and compile the templates, so that no file is read while the event loop runs."""
    for language in LANGUAGES:
        table(language)
    for name in ("ack.html", "mail.html", "unknown.html"):
        templating.environment().get_template(name)
