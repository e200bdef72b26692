"""The facts of a message in the order in which a person needs them at 3 a.m.

Status word if not Actual · who · what · where · do what · until when · how to answer.  The status word is not here:
the core puts it first after rendering (``relay.messages.status``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from relay.cap.model import Info
from relay.messages.clean import block, line
from relay.messages.message import Message

_SENTENCE_END = re.compile(r"(?<=[.!?…。！？؟۔।])[\"'»”)]*(?=\s)")
_ABBREVIATION = re.compile(r"(?:^|[\s(.])\w{1,2}\.$")  # "р.", "г.", "ул.": no sentence ends here
_CLOSED = re.compile(r"[.!?…。！？؟۔।]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One-line facts, cleaned; an absent one is ``""`` or ``()``.

    ``change`` is the word for an update, cancel, correction or all clear; ``lead`` the sentence that names the
    withdrawn message; ``event`` the CAP event, mostly shorter than ``what``; ``do`` whole sentences.
    """

    who: str
    change: str
    lead: str
    what: str
    event: str
    areas: tuple[str, ...]
    do: tuple[str, ...]
    until: str


def closed(sentence: str) -> str:
    """Return ``sentence`` with a full stop unless it already ends like a sentence."""
    return sentence if not sentence or _CLOSED.search(sentence) else sentence.rstrip(",;:- ") + "."


def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of a text, each on one line and closed; a line break ends a sentence too."""
    found: list[str] = []
    for row in block(text).split("\n"):
        found.extend(_sentences_of_line(row))
    return tuple(found)


def _sentences_of_line(row: str) -> list[str]:
    found: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(row):
        piece = row[start : match.end()].strip()
        if not _ABBREVIATION.search(piece):
            found.append(piece)
            start = match.end()
    rest = row[start:].strip()
    return [*found, closed(rest)] if rest else found


def facts_of(message: Message) -> Facts:
    """Return the facts of ``message``."""
    who = _who(message)
    info = message.info
    headline = line(info.headline or info.event) if info is not None else ""
    what = _without_prefix(headline, who)
    return Facts(
        who=who,
        change=change_word(message),
        lead=withdrawn(message),
        what=what.rstrip(". "),
        event=line(info.event).rstrip(". ") if info is not None else "",
        areas=_areas(info, headline),
        do=_do(message),
        until="" if message.withdraws else closed(message.calendar.until(message.end)),
    )


def _who(message: Message) -> str:
    """Return who speaks; for a Cancel that the relay made itself, the agency people heard before."""
    info = message.info
    if message.who:
        return line(message.who).rstrip(": ")
    if info is not None and info.sender_name:
        return line(info.sender_name).rstrip(": ")
    if info is not None and not message.own_info and message.alert.references:
        return line(message.alert.references[-1].sender)
    return line(message.alert.sender)


def _without_prefix(headline: str, who: str) -> str:
    """Return ``headline`` without a leading ``who:``, which would be said twice."""
    prefix = f"{who}:"
    same = headline[: len(prefix)].casefold() == prefix.casefold()
    return headline[len(prefix) :].strip() or headline if same else headline


def _areas(info: Info | None, headline: str) -> tuple[str, ...]:
    """Return the places by name, each once; none when the headline names all of them."""
    if info is None:
        return ()
    names = tuple(dict.fromkeys(name for area in info.area if (name := line(area.area_desc).rstrip(". "))))
    return () if all(name.casefold() in headline.casefold() for name in names) else names


def change_word(message: Message) -> str:
    """Return the word that says what changed, or an empty string for a first message."""
    words, info = message.words, message.info
    if message.alert.msg_type == "Error":
        return words.say("error")
    if message.own_info and info is not None and "AllClear" in info.response_type:
        return words.say("all_clear")
    key = {"Cancel": "cancel", "Update": "update"}.get(message.alert.msg_type)
    return words.say(key) if key is not None else ""


def withdrawn(message: Message) -> str:
    """Return the sentence, without its full stop, that names the withdrawn message by its time."""
    if not message.withdraws or not message.alert.references:
        return ""
    sent = max(reference.sent.instant for reference in message.alert.references)
    key = "wrong" if message.alert.msg_type == "Error" else "cancelled"
    return message.words.say(key, time=message.calendar.short(sent))


def _do(message: Message) -> tuple[str, ...]:
    """Return what to do; a withdrawn message never repeats its old instruction, only the agency's note."""
    info = message.info
    if message.withdraws:
        note = sentences(message.alert.note)
        ended = message.own_info and info is not None and (info.urgency == "Past" or "AllClear" in info.response_type)
        return note or (sentences(info.instruction or info.description) if ended and info is not None else ())
    if info is None:
        return ()
    return sentences(info.instruction) or sentences(info.description)[:2]
