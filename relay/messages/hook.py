"""The webhook document of design §16, with the facts as text for people and as speech for voices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relay.adapter import Hole, Template
from relay.messages.clean import line
from relay.messages.facts import Facts, closed, facts_of
from relay.messages.holes import json_value
from relay.messages.message import Message
from relay.messages.times import offset_of

_Field = str | Hole | Sequence[str] | Mapping[str, "_Field"]


def plain_text(message: Message) -> str:
    """Return all facts as sentences on one line, without how to answer: a webhook has a field for that."""
    return _sentences(message, facts_of(message))


def _sentences(message: Message, facts: Facts) -> str:
    subject = ", ".join((facts.what, *facts.areas)) if facts.what else ", ".join(facts.areas)
    what = ": ".join(part for part in (facts.lead, subject) if part)
    note = line(message.alert.note) if not message.withdraws else ""
    said = (closed(facts.change), closed(what), *facts.do, facts.until, closed(note))
    return f"{facts.who}: {' '.join(part for part in said if part)}".strip()


def document(message: Message, *, text: str, speech: str) -> Template:
    """Return the JSON document; ``text`` and ``speech`` already begin with the status word."""
    alert, info = message.alert, message.info
    expires = message.end.astimezone(offset_of(_expires_text(message)))
    fields: Mapping[str, _Field] = {
        "type": "alert.notification",
        "timestamp": Hole.TIMESTAMP,
        "data": {
            "alert_id": message.alert_id,
            "delivery_id": Hole.DELIVERY_ID,
            "recipient": Hole.RECIPIENT,
            "status": alert.status,
            "msgType": alert.msg_type,
            "language": message.text_language,
            "event": line(info.event) if info is not None else "",
            "headline": line(info.headline) if info is not None else "",
            "severity": info.severity if info is not None else "",
            "urgency": info.urgency if info is not None else "",
            "certainty": info.certainty if info is not None else "",
            "expires": expires.isoformat(timespec="seconds"),
            "areas": [line(area.area_desc) for area in info.area] if info is not None else [],
            "text": text,
            "speech": speech,
            "ack_url": Hole.ACK_URL,
            "cap_url": Hole.CAP_URL,
        },
    }
    return Template(tuple(_joined(_json(fields))))


def _expires_text(message: Message) -> str:
    stated = message.info.expires if message.info is not None else None
    return stated.text if stated is not None else message.alert.sent.text


def _json(value: _Field) -> list[str | Hole]:
    """Return ``value`` as JSON in pieces; a hole stands inside the quotes of a string."""
    match value:
        case Hole():
            return ['"', value, '"']
        case str():
            return [f'"{json_value(value)}"']
        case Mapping():
            return _bracketed("{", [[f'"{name}": ', *_json(part)] for name, part in value.items()], "}")
        case _:
            return _bracketed("[", [_json(part) for part in value], "]")


def _bracketed(opening: str, members: Sequence[Sequence[str | Hole]], closing: str) -> list[str | Hole]:
    pieces: list[str | Hole] = [opening]
    for index, member in enumerate(members):
        pieces.extend([", ", *member] if index else member)
    return [*pieces, closing]


def _joined(pieces: Sequence[str | Hole]) -> list[str | Hole]:
    """Return ``pieces`` with neighbouring texts as one: a document is filled once per recipient."""
    joined: list[str | Hole] = []
    for piece in pieces:
        if joined and not isinstance(piece, Hole) and not isinstance(joined[-1], Hole):
            joined[-1] = f"{joined[-1]}{piece}"
        else:
            joined.append(piece)
    return joined
