"""Alerts and people as an outside judge writes them, knowing CAP and the shapes of the design only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

Document = dict[str, Any]

SENDER = "duty@meteo.example"
TALGAR = "43.00,76.60 43.00,77.30 43.50,77.30 43.50,76.60 43.00,76.60"


def instant(seconds: float = 0.0) -> str:
    """Return the time in so many seconds, as CAP writes it."""
    return (datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)).isoformat()


def info(**changes: Any) -> Document:
    """Return one info about Talgar: P1 unless changed; a None leaves an element out."""
    given = {
        "language": "en",
        "category": ["Met"],
        "event": "Flood",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "expires": instant(6 * 3600),
        "headline": "Flood in Talgar",
        "description": "The river rises.",
        "instruction": "Move to higher ground.",
        "area": [{"areaDesc": "Talgar", "polygon": [TALGAR]}],
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def alert(identifier: str, *infos: Document, **changes: Any) -> Document:
    """Return an alert as JSON; without infos it has the usual one."""
    given = {
        "identifier": identifier,
        "sender": SENDER,
        "sent": instant(),
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "info": list(infos) or [info()],
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def reference(document: Document) -> str:
    """Return the triple by which another alert refers to this one."""
    return f"{document['sender']},{document['identifier']},{document['sent']}"


_ORDER = [
    "identifier",
    "sender",
    "sent",
    "status",
    "msgType",
    "source",
    "scope",
    "restriction",
    "addresses",
    "code",
    "note",
    "references",
    "incidents",
    "info",
    "language",
    "category",
    "event",
    "responseType",
    "urgency",
    "severity",
    "certainty",
    "audience",
    "eventCode",
    "effective",
    "onset",
    "expires",
    "senderName",
    "headline",
    "description",
    "instruction",
    "web",
    "contact",
    "parameter",
    "resource",
    "area",
    "areaDesc",
    "polygon",
    "circle",
    "geocode",
    "altitude",
    "ceiling",
    "valueName",
    "value",
]


def xml(document: Document, *, encoding: str = "utf-8", extra: str = "") -> bytes:
    """Return an alert as CAP 1.2 XML; ``extra`` goes before the root."""

    def element(name: str, value: Any) -> str:
        if isinstance(value, list):
            return "".join(element(name, one) for one in value)
        if isinstance(value, Mapping):
            inner = "".join(element(one, value[one]) for one in sorted(value, key=_ORDER.index))
            return f"<{name}>{inner}</{name}>"
        return f"<{name}>{escape(str(value))}</{name}>"

    body = element("alert", document).replace("<alert>", '<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">', 1)
    declared = encoding.removesuffix("-sig")
    return f'<?xml version="1.0" encoding="{declared}"?>\n{extra}{body}\n'.encode(encoding)


def person(name: str, *addresses: Document, **changes: Any) -> Document:
    """Return a recipient in Talgar who reads English."""
    given = {
        "id": name,
        "name": name.title(),
        "languages": ["en"],
        "addresses": list(addresses),
        "location": {"lat": 43.25, "lon": 76.95},
        **changes,
    }
    return {key: value for key, value in given.items() if value is not None}


def sms(number: int) -> Document:
    """Return an SMS address."""
    return {"kind": "sms", "value": f"+7701{number:07}"}


def mail(name: str) -> Document:
    """Return an e-mail address."""
    return {"kind": "email", "value": f"{name}@village.example"}
