"""The e-mail: subject, plain text and HTML with everything the agency said."""

from __future__ import annotations

from dataclasses import dataclass

from relay.adapter import Hole
from relay.cap.language import same_language
from relay.messages.facts import Facts, facts_of
from relay.messages.graphemes import shorten
from relay.messages.holes import marker
from relay.messages.message import Message
from relay.messages.sheet import Sheet, sheet_of
from relay.messages.templating import page

SUBJECT = 150
"""Characters of a subject; programs show less than half of it, and longer ones are folded badly by some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The texts before the status word is put first; holes are still markers."""

    subject: str
    text: str
    html: str


def mail(message: Message) -> Mail:
    """Return the e-mail of ``message``."""
    facts, sheet = facts_of(message), sheet_of(message)
    words = message.words
    html = page(
        "mail.html",
        sheet=sheet,
        say=words.say,
        ack_url=marker(Hole.ACK_URL),
        foreign=not same_language(sheet.language, words.language),
        words_language=words.language,
    )
    return Mail(subject=_subject(facts), text=_text(message, facts, sheet), html=html)


def _subject(facts: Facts) -> str:
    change = f"{facts.change}. " if facts.change else ""
    subject = f"{facts.who}: {change}{', '.join((facts.what, *facts.areas))}"
    return shorten(subject[: 4 * SUBJECT], lambda text: len(text) <= SUBJECT)


def _text(message: Message, facts: Facts, sheet: Sheet) -> str:
    """Return the plain text: first what to know at once, then the details by name."""
    words = message.words
    change = f"{facts.change}. " if facts.change else ""
    head = [f"{facts.who}: {change}{facts.what}", sheet.lead, ", ".join(sheet.areas)]
    named = (
        ("instruction", sheet.instruction),
        ("note", sheet.note),
        ("expires", sheet.expires),
        ("description", sheet.description),
        ("event", sheet.event),
        ("contact", sheet.contact),
        ("web", sheet.web),
        ("source", sheet.source),
        ("sent", sheet.sent),
    )
    facts_by_name = [f"{words.say(key)}: {value}" for key, value in named if value]
    answer = f"{words.say('acknowledge')}:\n{marker(Hole.ACK_URL)}"
    return "\n\n".join(["\n".join(row for row in head if row), *facts_by_name, answer, words.say("may_repeat")]) + "\n"
