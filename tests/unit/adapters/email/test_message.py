"""Messages are built once per content and completed per delivery."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.message import Composer, one_line
from relay.adapter import Content, Hole, Kind, Template
from relay.testing.clocks import START
from relay.testing.items import TEXTS, make_content, make_item

COMPOSER = Composer(sender="Гидромет <alerts@meteo.example>", host="relay.example")


def composed(content: Content, number: int = 0) -> EmailMessage:
    """Compose, check the wire's form, and parse with the standard library."""
    raw = COMPOSER.compose(make_item(number, kind=Kind.EMAIL, content=content), now=START)

    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def body(message: EmailMessage, kind: str = "plain") -> str:
    """Return the decoded text without its final line end."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")


@given(text=st.text(st.characters(exclude_categories=["Cs"])), subject=st.text())
def test_any_text_arrives(text: str, subject: str) -> None:
    """Whatever a text or headline holds, the text arrives and the headers are ours alone."""
    content = replace(make_content(subject=subject), text=Template((text, Hole.ACK_URL)))
    message = composed(content)
    arrived = body(message)

    assert arrived == (text + "https://relay.example/a/0").replace("\r\n", "\n").replace("\r", "\n")
    assert [name for name in message if name in {"Bcc", "Cc", "Reply-To"}] == []
    assert message["To"] == "duty0@rescue.example"
    assert len(message.keys()) == len(set(message.keys()))


def test_name_of_the_sender_is_encoded() -> None:
    """An agency's name in Cyrillic is readable in every mail program."""
    message = composed(make_content())

    assert message["From"].addresses[0].display_name == "Гидромет"
    assert message["From"].addresses[0].addr_spec == "alerts@meteo.example"


def test_holes_are_filled_for_each_delivery() -> None:
    """Two deliveries of one content share what is not personal, and nothing else."""
    content = make_content(TEXTS["ky"], language="ky")
    first, second = composed(content, 1), composed(content, 2)

    assert body(first).endswith("/a/1")
    assert body(second).endswith("/a/2")
    assert "/a/2" in body(second, "html")
    assert (first["Message-ID"], second["Message-ID"]) == (
        "<leg0contract-1@relay.example>",
        "<leg0contract-2@relay.example>",
    )
    assert first["Subject"] == second["Subject"]


def test_texts_without_holes_are_encoded_once() -> None:
    """A text that is the same for all costs its encoding once."""
    content = replace(make_content(), text=Template(("Stay inside.",)), html=None)
    composer = Composer(sender="alerts@meteo.example", host="relay.example")
    composer.compose(make_item(1, kind=Kind.EMAIL, content=content), now=START)
    part = composer._drafts[id(content)][1].parts[0]

    assert part.encoded({}) is part.encoded({})


def test_cache_is_bounded_and_never_mixes_contents() -> None:
    """Thousands of contents pass through without staying, and a reused memory address shows no old text."""
    for number in range(300):
        content = replace(make_content(), text=Template((f"text {number}",)), html=None)

        assert body(composed(content)) == f"text {number}"
    assert len(COMPOSER._drafts) <= 64


def test_latin_is_readable_in_the_raw_and_other_scripts_are_short() -> None:
    """English stays readable in a log of raw mail; Cyrillic is not blown up to six bytes a letter."""
    english = COMPOSER.compose(make_item(content=make_content(TEXTS["en"]), kind=Kind.EMAIL), now=START)
    russian = COMPOSER.compose(make_item(content=make_content(TEXTS["ru"]), kind=Kind.EMAIL), now=START)

    assert b"stay away from buildings" in english
    assert b"base64" not in english
    assert b"quoted-printable" not in russian


def test_without_a_subject_the_text_begins_it() -> None:
    """A mail without a subject looks like spam."""
    assert composed(make_content(subject=" \r\n"))["Subject"] == TEXTS["en"]


@pytest.mark.parametrize("subject", ["=?utf-8?q?=41?=", "w" * 3000, "ж" * 3000, "a " * 500, "x\ud800y"])
def test_awkward_subjects(subject: str) -> None:
    """Encoded-looking, endless and broken subjects arrive as the text they are."""
    arrived = composed(make_content(subject=subject))["Subject"]

    assert arrived == one_line(subject)


@pytest.mark.parametrize("language", ["", "e n", "ru\r\nX: y", "ё", "toolonglanguage"])
def test_odd_languages_are_left_out(language: str) -> None:
    """A language tag that is none does not become a header."""
    assert composed(make_content(language=language))["Content-Language"] is None


def test_date_follows_the_clock() -> None:
    """The date is cached for a second, not longer."""
    composer = Composer(sender="a@meteo.example", host="relay.example")
    dates = [
        message_from_bytes(composer.compose(make_item(kind=Kind.EMAIL), now=START.replace(second=second)))["Date"]
        for second in (0, 0, 7)
    ]

    assert [date[-8:-6] for date in dates] == ["00", "00", "07"]


@pytest.mark.parametrize("delivery_id", ["", "a b", "a>b", "a\r\nBcc: x@y.example", "a@b", "ж", ".a"])
def test_odd_delivery_ids_are_refused(delivery_id: str) -> None:
    """An id that cannot stand in a header never reaches one."""
    with pytest.raises(ValueError, match="cannot stand in a header"):
        COMPOSER.compose(replace(make_item(kind=Kind.EMAIL), delivery_id=delivery_id), now=START)


@pytest.mark.parametrize("host", ["", "a b", "x>y", "relay.example\r\n"])
def test_odd_hosts_are_refused(host: str) -> None:
    """A host name that cannot stand in a Message-ID is found at the start."""
    with pytest.raises(ValueError, match="host name"):
        Composer(sender="a@meteo.example", host=host)
