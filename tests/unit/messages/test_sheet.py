"""The whole alert as a reader sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay.cap.model import Alert, Info
from relay.messages.message import Message
from relay.messages.sheet import sheet_of

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]


def test_everything_is_there(info_of: Infos, message_of: Messages) -> None:
    """Every fact of the info is on the sheet, lines kept, times local."""
    info = info_of(
        description="Раз.\nДва.", contact="+77010000001", web="https://meteo.example/1", where=("А", "Б", "А")
    )
    sheet = sheet_of(message_of(info, source="ГМС", note="x\x00y"))

    assert (sheet.headline, sheet.event, sheet.areas) == ("УГРОЗА СЕЛЯ", "Сель", ("А", "Б"))
    assert (sheet.instruction, sheet.description, sheet.note) == (
        "Отойдите от реки на высокое место.",
        "Раз.\nДва.",
        "xy",
    )
    assert (sheet.expires, sheet.sent) == ("18:00, 14 марта 2025", "14:05, 14 марта 2025")
    assert (sheet.contact, sheet.web) == ("+77010000001", "https://meteo.example/1")
    assert sheet.source == "МЧС, ГМС, duty@meteo.example"


@pytest.mark.parametrize(
    "web", ["javascript:alert(1)", "data:text/html,x", "//x.example", "https://x.example/ onclick=1"]
)
def test_only_web_addresses_are_links(info_of: Infos, message_of: Messages, web: str) -> None:
    """What is no plain http address is not offered to be followed."""
    assert sheet_of(message_of(info_of(web=web))).web == ""


def test_a_withdrawal_does_not_repeat(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """The page of a Cancel names what is withdrawn and not what to do about it."""
    sheet = sheet_of(message_of(info_of(description="Сошёл сель."), alert=cancel_of()))

    assert (sheet.instruction, sheet.description, sheet.expires) == ("", "", "")
    assert (sheet.change, sheet.lead, sheet.headline) == ("ОТБОЙ", "Сообщение 14:05 отменено", "УГРОЗА СЕЛЯ")
