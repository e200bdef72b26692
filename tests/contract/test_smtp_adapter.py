"""The smtp adapter keeps the adapter contract, over a foreign SMTP server on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.email.smtp import Smtp
from relay.adapter import Class, Outcome, Scope, Template, Verdict
from relay.testing.contract import AdapterContract
from relay.testing.items import TEXTS, make_content
from relay.testing.provider import Provider
from relay.testing.smtp import Reply, SmtpReceiver
from tests.contract.smtp_side import SENDER, Server, mail, send


class TestSmtpContract(AdapterContract):
    """The contract, over SMTP, with commands one by one."""

    adapter = Smtp

    @pytest.fixture
    async def provider(self) -> AsyncIterator[Provider]:
        async with SmtpReceiver(login=("relay", "correct-horse"), pipelining=False) as receiver:
            yield Server(receiver)


class TestPipeliningContract(AdapterContract):
    """The contract, over SMTP, with commands that leave together."""

    adapter = Smtp

    @pytest.fixture
    async def provider(self) -> AsyncIterator[Provider]:
        async with SmtpReceiver(login=("relay", "correct-horse"), pipelining=True) as receiver:
            yield Server(receiver)


@pytest.fixture(params=[False, True], ids=["one by one", "pipelining"])
async def receiver(request: pytest.FixtureRequest) -> AsyncIterator[SmtpReceiver]:
    """An SMTP server that takes everything."""
    async with SmtpReceiver(pipelining=request.param) as running:
        yield running


async def test_message_has_what_mail_needs(receiver: SmtpReceiver) -> None:
    """Text and HTML, an id per delivery, and headers that keep robots from answering."""
    outcomes = await send(receiver, mail(3))
    arrived = receiver.mails[0]
    headers = arrived.message

    assert outcomes[0].provider_ids == ("R000001",)
    assert (arrived.sender, arrived.recipients) == ("alerts@meteo.example", ("duty3@rescue.example",))
    assert headers["Message-ID"] == "<leg0contract-3@relay.example>"
    assert headers["To"] == "duty3@rescue.example"
    assert headers["From"] == SENDER
    assert headers["Subject"] == "Earthquake near Almaty"
    assert headers["Date"] == "Sun, 01 Mar 2026 06:00:00 +0000"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Content-Language"] == "en"
    assert (headers["Importance"], headers["X-Priority"]) == ("high", "1")
    assert headers.get_content_type() == "multipart/alternative"
    assert arrived.text == mail(3).text
    assert arrived.html == mail(3).html
    assert arrived.hello == "relay.example"


async def test_low_classes_are_not_marked_urgent(receiver: SmtpReceiver) -> None:
    """A mark on everything is a mark on nothing."""
    await send(receiver, mail(klass=Class.P3))

    assert receiver.mails[0].message["Importance"] is None


async def test_mail_whose_turn_comes_too_late_does_not_leave(receiver: SmtpReceiver) -> None:
    """It expired, or was cancelled, while it waited for a connection: it is asked just before its bytes leave."""
    words = iter(["", "alert_expired", "stopped"])
    outcomes = await send(receiver, *(mail(n, hindrance=lambda: next(words)) for n in range(3)), connections=1)

    assert [outcome.reason for outcome in outcomes[1:]] == ["alert_expired", "stopped"]
    assert outcomes[1] == Outcome.hindered("alert_expired")
    assert len(receiver.mails) == 1


@pytest.mark.parametrize("language", sorted(TEXTS))
async def test_subject_in_every_language(receiver: SmtpReceiver, language: str) -> None:
    """A long subject in any script arrives whole."""
    subject = f"{TEXTS[language]} {TEXTS[language]}"
    await send(receiver, mail(content=make_content(TEXTS[language], language=language, subject=subject)))

    assert receiver.mails[0].message["Subject"] == subject
    assert receiver.mails[0].message["Content-Language"] == language


@pytest.mark.parametrize(
    "address",
    [
        *("", "duty", "@rescue.example", "duty@", "a@b@rescue.example", '"a b"@rescue.example', "duty@[127.0.0.1]"),
        *("duty@rescue.example\r\nRCPT TO:<x@y.example>", "duty@rescue.example\n", "du\x00ty@rescue.example"),
        *("duty@rescue.example>\r\nDATA", "<duty@rescue.example>", "дежурный@rescue.example", "duty@көмек.example"),
        *("duty@-rescue.example", "duty@rescue..example", ".duty@rescue.example", "a" * 65 + "@rescue.example"),
        *("duty@" + "a." * 130 + "example", "duty @rescue.example", "duty@rescue.example,x@y.example"),
    ],
)
async def test_addresses_cannot_carry_commands(receiver: SmtpReceiver, address: str) -> None:
    """What is not one plain mailbox is refused before anything is sent (BI-197, BI-199)."""
    outcomes = await send(receiver, mail(address=address), mail(1))

    assert (outcomes[0].verdict, outcomes[0].reason) == (Verdict.REJECTED, "bad_address")
    assert [m.recipients for m in receiver.mails] == [("duty1@rescue.example",)]


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\r\n\r\n", "\x00", "\x0b", "\u2028", "\x85"])
async def test_subject_cannot_carry_headers(receiver: SmtpReceiver, break_: str) -> None:
    """A headline with line breaks stays one subject (BI-196)."""
    await send(receiver, mail(content=make_content(subject=f"Flood{break_}Bcc: spy@evil.example")))

    assert receiver.mails[0].message["Subject"] == "Flood Bcc: spy@evil.example"
    assert receiver.mails[0].message["Bcc"] is None
    assert receiver.mails[0].recipients == ("duty0@rescue.example",)


@pytest.mark.parametrize(
    "text",
    [
        *(".", "..", "a\n.\nb", "a\r\n.\r\nb", "a\r.\r\nb", "a\n.\r\nMAIL FROM:<x@y.example>\r\n", ".hidden\n..twice"),
        *("ж" * 5000, "x" * 5000, "tab\t \nspace \n", "=41 =\nFrom here", "ж\n.\nж", "nul\x00"),
    ],
)
async def test_texts_cannot_end_the_message(receiver: SmtpReceiver, text: str) -> None:
    """Dots, odd line ends and endless lines arrive as text; the wire has short lines and CRLF only (BI-200, BI-201)."""
    content = replace(make_content(), text=Template((text,)), html=None)
    outcomes = await send(receiver, mail(content=content), mail(1))
    arrived = next(m for m in receiver.mails if m.recipients == ("duty0@rescue.example",))
    wanted = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")

    assert [o.verdict for o in outcomes] == [Verdict.ACCEPTED] * 2
    assert arrived.text.replace("\r\n", "\n") == wanted
    assert max(len(line) for line in arrived.raw.split(b"\r\n")) <= 998
    assert b"\n" not in arrived.raw.replace(b"\r\n", b"")
    assert b"\r" not in arrived.raw.replace(b"\r\n", b"")
    assert arrived.raw.isascii()


async def test_codes_of_recipients_are_kept(receiver: SmtpReceiver) -> None:
    """Each recipient's own code decides about him, and never holds his address."""
    receiver.replies = {
        "duty1@rescue.example": Reply(stage="rcpt", line="550 5.1.1 <duty1@rescue.example> unknown"),
        "duty2@rescue.example": Reply(stage="rcpt", line="452 4.2.2 <duty2@rescue.example> mailbox full"),
        "duty3@rescue.example": Reply(stage="message", line="554 5.7.1 refused as spam"),
    }
    outcomes = await send(receiver, *(mail(n) for n in range(5)), connections=1)

    assert [(o.verdict, o.reason, o.detail) for o in outcomes[1:4]] == [
        (Verdict.REJECTED, "smtp_550", "550 5.1.1"),
        (Verdict.RETRY, "smtp_452", "452 4.2.2"),
        (Verdict.REJECTED, "smtp_554", "554 5.7.1"),
    ]
    assert [outcomes[n].verdict for n in (0, 4)] == [Verdict.ACCEPTED] * 2


async def test_relay_that_refuses_us_spends_no_recipients_attempt(receiver: SmtpReceiver) -> None:
    """ "Relay access denied" is about our account: the operator is told, nobody is given up."""
    receiver.reply = Reply(stage="rcpt", line="554 5.7.1 Relay access denied")
    outcomes = await send(receiver, mail())

    assert (outcomes[0].verdict, outcomes[0].scope) == (Verdict.RETRY, Scope.CONFIG)
