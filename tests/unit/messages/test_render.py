"""One rendering per variant and kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from relay.adapter import Content, Hole, Kind, Template
from relay.cap.model import Alert, Info
from relay.messages.holes import json_value
from relay.messages.message import Message
from relay.messages.phrasebook import table
from relay.messages.render import Rendered, render, warm, with_status

Infos = Callable[..., Info]
Alerts = Callable[..., Alert]
Messages = Callable[..., Message]

_VALUES = {hole: hole.value for hole in Hole}


def _shown(content: Content) -> Iterator[str]:
    """Yield everything that a person reads or hears, from its beginning."""
    yield content.text.fill(_VALUES)
    if content.subject:
        yield content.subject
    if content.html is not None:
        yield content.html.fill(_VALUES).partition("<body")[2].partition(">")[2].partition("<strong>")[2]
    if content.body is not None:
        data = json.loads(content.body.fill(_VALUES))["data"]
        yield data["text"]
        yield data["speech"]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    ("status", "language", "word"),
    [
        ("Exercise", "ru", "УЧЕНИЯ"),
        ("Test", "en", "TEST"),
        ("System", "kk", "ҚЫЗМЕТТІК"),
        ("Exercise", "ky", "МАШЫГУУ"),
        ("Exercise", "fa", "EXERCISE"),
        ("Whatever", "en", "WHATEVER"),
    ],
)
def test_status_word_is_first(
    info_of: Infos, message_of: Messages, kind: Kind, status: str, language: str, word: str
) -> None:
    """A drill is told as one before anything else, on every kind and in every text of it."""
    info = info_of(language=language, headline="x", event="x", instruction="x", sender_name="x", where=("x",))
    content = render(message_of(info, status=status), kind)

    for text in _shown(content):
        assert text.casefold().startswith(f"{word}.".casefold())


@pytest.mark.parametrize("kind", list(Kind))
def test_actual_has_no_status_word(message_of: Messages, kind: Kind) -> None:
    """A real warning begins with who speaks."""
    content = render(message_of(), kind)

    assert content.text.fill(_VALUES).startswith("МЧС: УГРОЗА СЕЛЯ")
    assert content.html is None or 'class="status"' not in content.html.fill(_VALUES)


def test_no_template_can_leave_the_word_out() -> None:
    """Whatever a template returned, the word is put first by the core, holes and all."""
    bare = Rendered(text=Template((Hole.ACK_URL,)), subject="s", html="no body", speech="said")
    made = with_status(bare, "УЧЕНИЯ", table("ru"))

    assert made.text.parts == ("УЧЕНИЯ. ", Hole.ACK_URL)
    assert (made.subject, made.speech) == ("УЧЕНИЯ. s", "Учения. said")
    assert made.html.startswith('<p class="status"')


def test_kinds_have_what_they_need(message_of: Messages) -> None:
    """SMS is text; e-mail has subject and HTML; a webhook has a document; holes only where they belong."""
    sms, email, hook = (render(message_of(two_way=False), kind) for kind in Kind)

    assert (sms.subject, sms.html, sms.body) == ("", None, None)
    assert sms.text.holes == {Hole.ACK_URL}
    assert email.subject == "МЧС: УГРОЗА СЕЛЯ, Узгенский район"
    assert email.body is None
    assert hook.html is None
    assert hook.text.holes == frozenset()
    assert hook.body is not None
    assert hook.body.holes == {Hole.ACK_URL, Hole.CAP_URL, Hole.DELIVERY_ID, Hole.RECIPIENT, Hole.TIMESTAMP}


def test_language_and_direction(info_of: Infos, message_of: Messages) -> None:
    """The content says what language it is in."""
    content = render(message_of(info_of(language="fa-AF", headline="سیل")), Kind.SMS)

    assert (content.language, content.rtl) == ("fa-AF", True)


@pytest.mark.parametrize("kind", list(Kind))
def test_alert_text_is_data(info_of: Infos, message_of: Messages, kind: Kind) -> None:
    """Braces, percent signs and templates are literal; controls and overrides are gone."""
    hostile = "{ack_url} %n {{7*7}} \x00ack_url\x00 \x1b[2J \u202e\r\nx"
    content = render(message_of(info_of(headline=hostile, event="")), kind)
    text = content.text.fill(_VALUES)

    assert "{ack_url} %n {{7*7}} ack_url [2J x" in text
    assert not {"\x00", "\x1b", "\u202e", "\r"} & set(text)


@pytest.mark.parametrize("kind", list(Kind))
def test_cancel_names_what_it_cancels(info_of: Infos, cancel_of: Alerts, message_of: Messages, kind: Kind) -> None:
    """A Cancel without infos is told in the words and language of what people heard before."""
    text = render(message_of(info_of(), alert=cancel_of()), kind).text.fill(_VALUES)

    for part in ("МЧС: ОТБОЙ.", "Сообщение 14:05 отменено", "УГРОЗА СЕЛЯ", "Узгенский район"):
        assert part in text


@pytest.mark.parametrize("kind", list(Kind))
def test_cancel_of_the_unknown(cancel_of: Alerts, message_of: Messages, kind: Kind) -> None:
    """Nothing known of the cancelled alert is no reason to say nothing."""
    assert "CANCELLED" in render(message_of(alert=cancel_of()), kind).text.fill(_VALUES)


def test_json_holes(message_of: Messages) -> None:
    """A recipient's id with quotes does not break the document."""
    body = render(message_of(), Kind.WEBHOOK).body
    assert body is not None
    filled = body.fill({**_VALUES, Hole.RECIPIENT: json_value('a"b\\')})

    assert json.loads(filled)["data"]["recipient"] == 'a"b\\'


def test_warm() -> None:
    """All tables and templates can be read and compiled before the event loop runs."""
    warm()
