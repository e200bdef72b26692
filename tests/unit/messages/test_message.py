"""What is derived of a message before it is rendered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relay.cap.model import Alert, Info
from relay.messages.message import Message

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]


def test_language_is_the_infos_own(info_of: Infos, message_of: Messages) -> None:
    """Structural words speak the language of the text, whoever asked for what."""
    message = message_of(info_of(language="ky-KG"))

    assert (message.text_language, message.words.language, message.rtl) == ("ky-KG", "ky", False)


def test_words_can_be_asked_for(info_of: Infos, message_of: Messages) -> None:
    """The caller may choose the language of the structural words."""
    assert message_of(info_of(), language="kk").words.language == "kk"


def test_right_to_left(info_of: Infos, message_of: Messages) -> None:
    """A text without a table keeps its own language and direction."""
    message = message_of(info_of(language="fa-AF", headline="زلزله", event="زلزله", instruction="بیرون بروید"))

    assert (message.text_language, message.words.language, message.rtl) == ("fa-AF", "en", True)


def test_default_language(info_of: Infos, message_of: Messages) -> None:
    """No language is en-US, unless the letters are Cyrillic: a voice would spell them one by one."""
    english: dict[str, Any] = {"headline": "MUDFLOW", "event": "Mudflow", "instruction": "Go up."}

    assert message_of(info_of(language="", **english)).text_language == "en-US"
    assert message_of(info_of(language="")).text_language == "ru"


def test_whose_info_it_is(info_of: Infos, cancel_of: Alerts, message_of: Messages) -> None:
    """A Cancel without infos shows the info of what it cancels, and that is known."""
    told = info_of()

    assert not message_of(told, alert=cancel_of()).own_info
    assert message_of(told, alert=cancel_of(info=(told,))).own_info
    assert message_of(told, alert=cancel_of()).withdraws


def test_end(info_of: Infos, message_of: Messages) -> None:
    """The agency's own expires comes before the relay's assumption."""
    stated, assumed = message_of(info_of(until="2025-03-14T17:00:00+06:00")), message_of(info_of(until=""))

    assert stated.end.isoformat() == "2025-03-14T17:00:00+06:00"
    assert assumed.end == assumed.expires
