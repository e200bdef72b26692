"""The whole alert as a reader sees it on a page or in an e-mail: every field cleaned, times in local clocks."""

from __future__ import annotations

from dataclasses import dataclass

from relay.messages.clean import block, line
from relay.messages.facts import change_word, facts_of, withdrawn
from relay.messages.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Cleaned texts; an absent one is ``""``.

    ``language`` and ``rtl`` are those of the alert's own text.  ``web`` is an http or https address or empty.
    ``instruction`` and ``description`` keep their lines.
    """

    language: str
    rtl: bool
    change: str
    lead: str
    headline: str
    event: str
    areas: tuple[str, ...]
    instruction: str
    description: str
    note: str
    expires: str
    sent: str
    contact: str
    web: str
    source: str


def sheet_of(message: Message) -> Sheet:
    """Return everything ``message`` tells; a withdrawn message does not repeat what people were told to do."""
    info, calendar, facts = message.info, message.calendar, facts_of(message)
    repeats = info is not None and (message.own_info or not message.withdraws)
    return Sheet(
        language=message.text_language,
        rtl=message.rtl,
        change=change_word(message),
        lead=withdrawn(message),
        headline=facts.what,
        event=facts.event,
        areas=tuple(dict.fromkeys(line(area.area_desc) for area in info.area)) if info is not None else (),
        instruction=block(info.instruction) if info is not None and repeats else "",
        description=block(info.description) if info is not None and repeats else "",
        note=block(message.alert.note),
        expires="" if message.withdraws else calendar.long(message.end),
        sent=calendar.long(message.alert.sent.instant),
        contact=line(info.contact) if info is not None else "",
        web=_web(info.web) if info is not None else "",
        source=_source(message, facts.who),
    )


def _web(text: str) -> str:
    """Return an address that is safe to follow, else nothing."""
    address = line(text)
    return address if address.lower().startswith(("https://", "http://")) and " " not in address else ""


def _source(message: Message, who: str) -> str:
    """Return who made the alert, with the sender's own id when that is another text."""
    names = (who, line(message.alert.source), line(message.alert.sender))
    return ", ".join(dict.fromkeys(name for name in names if name))
