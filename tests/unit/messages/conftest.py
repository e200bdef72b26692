"""Alerts of fictional agencies, as the rendering tests read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from relay.adapter import Class
from relay.cap.model import Alert, Area, Info, Reference, Time
from relay.messages.message import Message

InfoMaker = Callable[..., Info]
AlertMaker = Callable[..., Alert]
MessageMaker = Callable[..., Message]


def at(text: str) -> Time:
    """Return a CAP time."""
    return Time(text, datetime.fromisoformat(text))


def make_info(**fields: Any) -> Info:
    """Return a mudflow warning in Russian; ``where`` and ``until`` stand for area names and a CAP time."""
    where = fields.pop("where", ("Узгенский район",))
    until = fields.pop("until", "2025-03-14T18:00:00+06:00")
    defaults: dict[str, Any] = {
        "language": "ru-RU",
        "category": ("Geo",),
        "event": "Сель",
        "urgency": "Immediate",
        "severity": "Extreme",
        "certainty": "Observed",
        "expires": at(until) if until else None,
        "sender_name": "МЧС",
        "headline": "УГРОЗА СЕЛЯ",
        "instruction": "Отойдите от реки на высокое место.",
        "area": tuple(Area(area_desc=name) for name in where),
    }
    return Info(**{**defaults, **fields})


def make_alert(*infos: Info, **fields: Any) -> Alert:
    """Return an Actual alert with ``infos``, sent at 14:05 local time."""
    defaults: dict[str, Any] = {
        "identifier": "KG-1",
        "sender": "duty@meteo.example",
        "sent": at("2025-03-14T14:05:00+06:00"),
        "status": "Actual",
        "msg_type": "Alert",
        "scope": "Public",
        "info": infos,
    }
    return Alert(**{**defaults, **fields})


def make_message(info: Info | None = None, *, alert: Alert | None = None, **fields: Any) -> Message:
    """Return a message of ``info`` on a channel that can be answered; fields of Alert go to its own alert."""
    ours = {name: fields.pop(name) for name in tuple(fields) if name in Alert.__dataclass_fields__}
    read = info if info is not None or alert is not None else make_info()
    own = alert if alert is not None else make_alert(*([read] if read is not None else []), **ours)
    defaults: dict[str, Any] = {
        "alert_id": "7k3f",
        "klass": Class.P0,
        "expires": datetime(2025, 3, 14, 12, 0, tzinfo=UTC),
        "two_way": True,
    }
    return Message(alert=own, info=read, **{**defaults, **fields})


def make_cancel(**fields: Any) -> Alert:
    """Return a Cancel without infos of the mudflow warning."""
    told = Reference("duty@meteo.example", "KG-1", at("2025-03-14T14:05:00+06:00"))
    defaults: dict[str, Any] = {
        "identifier": "KG-2",
        "sent": at("2025-03-14T15:20:00+06:00"),
        "msg_type": "Cancel",
        "references": (told,),
    }
    return make_alert(**{**defaults, **fields})


@pytest.fixture
def info_of() -> InfoMaker:
    """Make an info."""
    return make_info


@pytest.fixture
def alert_of() -> AlertMaker:
    """Make an alert."""
    return make_alert


@pytest.fixture
def cancel_of() -> AlertMaker:
    """Make a Cancel."""
    return make_cancel


@pytest.fixture
def message_of() -> MessageMaker:
    """Make a message."""
    return make_message
