"""The webhook document."""

from __future__ import annotations

import json
from collections.abc import Callable

from relay.adapter import Hole
from relay.cap.model import Alert, Info
from relay.messages.holes import json_value
from relay.messages.hook import document, plain_text
from relay.messages.message import Message

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]

_VALUES = {hole: f'{hole.value} "\\\n' for hole in Hole}


def test_document(message_of: Messages) -> None:
    """The document has exactly the fields and order that integrators were promised, and reads back as JSON."""
    template = document(message_of(), text="текст", speech="речь")
    body = json.loads(template.fill({hole: json_value(value) for hole, value in _VALUES.items()}))

    assert body == {
        "type": "alert.notification",
        "timestamp": _VALUES[Hole.TIMESTAMP],
        "data": {
            "alert_id": "7k3f",
            "delivery_id": _VALUES[Hole.DELIVERY_ID],
            "recipient": _VALUES[Hole.RECIPIENT],
            "status": "Actual",
            "msgType": "Alert",
            "language": "ru-RU",
            "event": "Сель",
            "headline": "УГРОЗА СЕЛЯ",
            "severity": "Extreme",
            "urgency": "Immediate",
            "certainty": "Observed",
            "expires": "2025-03-14T18:00:00+06:00",
            "areas": ["Узгенский район"],
            "text": "текст",
            "speech": "речь",
            "ack_url": _VALUES[Hole.ACK_URL],
            "cap_url": _VALUES[Hole.CAP_URL],
        },
    }
    assert list(body["data"])[-4:] == ["text", "speech", "ack_url", "cap_url"]


def test_without_info(cancel_of: Alerts, message_of: Messages) -> None:
    """A Cancel of something unknown is a document too; it expires when the relay stops sending it."""
    body = json.loads(document(message_of(alert=cancel_of()), text="", speech="").fill(dict.fromkeys(Hole, "")))

    assert body["data"]["event"] == ""
    assert body["data"]["areas"] == []
    assert body["data"]["expires"] == "2025-03-14T18:00:00+06:00"


def test_text_is_whole(info_of: Infos, message_of: Messages) -> None:
    """A program has room: nothing is dropped, and how to answer is a field of its own."""
    info = info_of(instruction="Уходите. " * 30, where=("А", "Б", "В"))
    text = plain_text(message_of(info))

    assert text.startswith("МЧС: УГРОЗА СЕЛЯ, А, Б, В. Уходите. Уходите.")
    assert text.count("Уходите.") == 30
    assert text.endswith("До 18:00.")


def test_alert_text_stays_in_its_string(info_of: Infos, message_of: Messages) -> None:
    """No text can leave its string, forge a field or become a hole."""
    hostile = '","recipient":"x"}\\u0000ack_url\\u0000 {ack_url} \x00ack_url\x00'
    template = document(message_of(info_of(headline=hostile)), text=hostile, speech="")
    body = json.loads(template.fill(dict.fromkeys(Hole, "v")))

    assert body["data"]["recipient"] == "v"
    assert body["data"]["text"] == hostile
    assert body["data"]["headline"] == hostile.replace("\x00", "")
