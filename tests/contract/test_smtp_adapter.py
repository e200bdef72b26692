"""The smtp adapter keeps the adapter contract, over a foreign SMTP server on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
import trustme
from pydantic import ValidationError
from structlog.testing import LogCapture

from adapters.email.smtp import Smtp, SmtpSettings
from relay.adapter import Class, Item, Kind, Outcome, Scope, Services, Template, Verdict
from relay.directory.egress import Guard
from relay.errors import ConfigError, ProviderDown
from relay.testing.clocks import FakeClock
from relay.testing.contract import AdapterContract
from relay.testing.items import TEXTS, make_content, make_item
from relay.testing.provider import Provider, Trouble
from relay.testing.smtp import Reply, SmtpReceiver

SENDER = "Alerts <alerts@meteo.example>"
REPLIES = {
    Trouble.REFUSES: Reply(stage="rcpt", line="550 5.1.1 <duty0@rescue.example>: no such user"),
    Trouble.HANGS: Reply(then="hang"),
    Trouble.RESETS: Reply(then="reset"),
    Trouble.SLOW_DOWN: Reply(stage="rcpt", line="451 4.7.1 <duty0@rescue.example>: come later"),
}


class Server(Provider):
    """A submission server that demands a password."""

    private = ("correct-horse",)
    loggers = ("mail.log", "mail.debug", "mail.error", "asyncio")

    def __init__(self, receiver: SmtpReceiver) -> None:
        self.receiver = receiver
        self.settings = settings_for(receiver, username="relay", password="correct-horse", timeout=1.0)

    def address(self, number: int) -> str:
        return f"duty{number}@rescue.example"

    def texts(self) -> Sequence[str]:
        return [mail.text for mail in self.receiver.mails]

    async def make(self, trouble: Trouble, *, only: str = "") -> None:
        if trouble is Trouble.DOWN:
            await self.receiver.stop()
        elif only:
            self.receiver.replies[only] = REPLIES[trouble]
        else:
            self.receiver.reply = REPLIES[trouble]


def settings_for(receiver: SmtpReceiver, **changes: object) -> dict[str, object]:
    """Return the channel's settings for ``receiver``."""
    return {"host": "127.0.0.1", "port": receiver.port, "tls": "none", "sender": SENDER, **changes}


class TestSmtpContract(AdapterContract):
    """The contract, over SMTP."""

    adapter = Smtp

    @pytest.fixture
    async def provider(self) -> AsyncIterator[Provider]:
        async with SmtpReceiver(login=("relay", "correct-horse")) as receiver:
            yield Server(receiver)


@pytest.fixture
async def receiver() -> AsyncIterator[SmtpReceiver]:
    """An SMTP server that takes everything."""
    async with SmtpReceiver() as running:
        yield running


@asynccontextmanager
async def smtp(receiver: SmtpReceiver, **changes: object) -> AsyncIterator[Smtp]:
    """Open an smtp adapter on ``receiver``."""
    log = structlog.wrap_logger(None, processors=[LogCapture()])
    services = Services(channel="mail", log=log, egress=Guard(), public_host="relay.example", clock=FakeClock())
    adapter = Smtp(SmtpSettings.model_validate(settings_for(receiver, timeout=2.0) | changes), services)
    await adapter.open()
    try:
        yield adapter
    finally:
        await adapter.close(deadline=1.0)


def mail(number: int = 0, **changes: object) -> Item:
    """Return the ``number``-th delivery."""
    return replace(make_item(number, kind=Kind.EMAIL), **changes)  # type: ignore[arg-type]


async def send(receiver: SmtpReceiver, *items: Item, **changes: object) -> Sequence[Outcome]:
    """Send ``items`` to ``receiver``."""
    async with smtp(receiver, **changes) as adapter:
        return await adapter.send(items)


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


@pytest.mark.parametrize("stage", ["ehlo", "mail", "rcpt"])
async def test_server_that_shuts_down_keeps_all(receiver: SmtpReceiver, stage: str) -> None:
    """421 before the message means that nothing of the batch left, wherever it comes."""
    receiver.reply = Reply(stage=stage, line="421 4.3.2 shutting down")  # type: ignore[arg-type]
    outcomes = await send(receiver, *(mail(n) for n in range(20)))

    assert {(o.verdict, o.scope) for o in outcomes} == {(Verdict.RETRY, Scope.PROVIDER)}


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
async def test_cut_before_the_message_keeps_all(receiver: SmtpReceiver, stage: str) -> None:
    """A connection that is lost before the message is handed over certainly sent nothing."""
    receiver.reply = Reply(stage=stage, then="reset")  # type: ignore[arg-type]
    outcomes = await send(receiver, *(mail(n) for n in range(20)))

    assert {(o.verdict, o.scope, o.reason) for o in outcomes} == {(Verdict.RETRY, Scope.PROVIDER, "connection_lost")}


async def test_only_what_was_under_way_is_in_doubt(receiver: SmtpReceiver) -> None:
    """When the server dies in the middle, one message per connection is unknown; the rest is tried again."""
    receiver.reply = Reply(then="reset")
    outcomes = await send(receiver, *(mail(n) for n in range(20)), connections=2)

    assert [o.verdict for o in outcomes].count(Verdict.UNKNOWN) == 2
    assert [o.verdict for o in outcomes].count(Verdict.RETRY) == 18


async def test_connections_are_reused_and_renewed(receiver: SmtpReceiver) -> None:
    """Few connections carry many messages, but none more than it should."""
    async with smtp(receiver, connections=2, messages_per_connection=5) as adapter:
        for start in range(0, 30, 10):
            await adapter.send([mail(n) for n in range(start, start + 10)])

    assert len(receiver.mails) == 30
    assert 6 <= receiver.connections <= 7


async def test_connection_that_the_server_dropped_is_replaced(receiver: SmtpReceiver) -> None:
    """A kept connection that went away meanwhile costs nobody an attempt."""
    async with smtp(receiver, connections=1) as adapter:
        await adapter.send([mail(1)])
        receiver.drop_connections()
        outcomes = await adapter.send([mail(2), mail(3)])

    assert [o.verdict for o in outcomes] == [Verdict.ACCEPTED] * 2
    assert receiver.connections == 2


async def test_kept_connection_that_times_out_is_replaced(receiver: SmtpReceiver) -> None:
    """Servers answer 421 on connections that were idle too long; a new one is made for the same message."""
    async with smtp(receiver, connections=1) as adapter:
        await adapter.send([mail(1)])
        receiver.replies["duty2@rescue.example"] = Reply(stage="rcpt", line="421 4.4.2 idle too long")
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(adapter.send([mail(2)]))
            while receiver.connections < 2:
                await asyncio.sleep(0.001)
            receiver.replies.clear()

    assert sending.result()[0].verdict is Verdict.ACCEPTED


async def test_wrong_password_is_the_operators(tmp_path: Path) -> None:
    """A password that is refused is a fault of the configuration and spends no recipient's attempt."""
    async with SmtpReceiver(login=("relay", "right")) as receiver:
        outcomes = await send(receiver, mail(), username="relay", password="wrong")

    assert (outcomes[0].verdict, outcomes[0].scope, outcomes[0].reason) == (Verdict.RETRY, Scope.CONFIG, "auth_failed")


async def test_missing_password_is_the_operators() -> None:
    """A server that demands AUTH from a channel without a username says so to the operator."""
    async with SmtpReceiver(login=("relay", "right")) as receiver:
        outcomes = await send(receiver, mail())

    assert (outcomes[0].verdict, outcomes[0].scope, outcomes[0].reason) == (Verdict.RETRY, Scope.CONFIG, "smtp_530")


async def test_password_from_a_file(tmp_path: Path) -> None:
    """Secrets can stay out of the configuration."""
    (tmp_path / "password").write_text("right\n")
    async with SmtpReceiver(login=("relay", "right")) as receiver:
        await send(receiver, mail(), username="relay", password_file=str(tmp_path / "password"))

    assert receiver.mails[0].user == "relay"


async def test_missing_password_file_stops_the_start(receiver: SmtpReceiver, tmp_path: Path) -> None:
    """A file that is not there is a sentence at the start."""
    with pytest.raises(ConfigError, match="cannot read"):
        await send(receiver, mail(), username="relay", password_file=str(tmp_path / "none"))


def server_tls(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    """Return a server's context with a certificate for ``name``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
async def test_tls(mode: str, tmp_path: Path) -> None:
    """Both ways of TLS work, with a verified certificate, and the password goes through."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with SmtpReceiver(tls=server_tls(authority), mode=mode, login=("relay", "right")) as receiver:  # type: ignore[arg-type]
        outcomes = await send(
            receiver,
            *(mail(n) for n in range(10)),
            host="localhost",
            tls=mode,
            ca_file=str(tmp_path / "ca.pem"),
            username="relay",
            password="right",
        )

    assert [o.verdict for o in outcomes] == [Verdict.ACCEPTED] * 10
    assert all(m.tls and m.user == "relay" for m in receiver.mails)


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
async def test_unknown_certificate_is_refused(mode: str) -> None:
    """A certificate that nobody vouches for stops everything; the operator must look."""
    async with SmtpReceiver(tls=server_tls(trustme.CA()), mode=mode) as receiver:  # type: ignore[arg-type]
        outcomes = await send(receiver, mail(), host="localhost", tls=mode)

    assert (outcomes[0].verdict, outcomes[0].scope, outcomes[0].reason) == (Verdict.RETRY, Scope.CONFIG, "tls_failed")
    assert not receiver.mails


async def test_starttls_is_never_given_up(receiver: SmtpReceiver) -> None:
    """A server (or somebody between) that hides STARTTLS gets no mail in clear (SEC-066)."""
    outcomes = await send(receiver, mail(), tls="starttls")

    assert (outcomes[0].scope, outcomes[0].reason) == (Scope.CONFIG, "starttls_not_offered")
    assert not receiver.mails


def test_password_in_clear_is_refused() -> None:
    """A password is not configured for an unprotected connection across a network."""
    with pytest.raises(ValidationError, match="in clear"):
        SmtpSettings(host="mail.example", sender=SENDER, tls="none", username="relay")


@pytest.mark.parametrize(
    "sender", ["", "nobody", "a@b@c", "A <a@meteo.example>\r\nBcc: x@y.example", "a@meteo.example, b@c.example"]
)
def test_sender_must_be_a_mailbox(sender: str) -> None:
    """A sender that servers would refuse is found when the configuration is read."""
    with pytest.raises(ValidationError, match="mailbox"):
        SmtpSettings(host="localhost", sender=sender)


async def test_health(receiver: SmtpReceiver) -> None:
    """The status page learns whether the server answers, in words."""
    async with smtp(receiver) as adapter:
        well = await adapter.health()
        await receiver.stop()
        ill = await adapter.health()
        still = await adapter.health()

    assert (well, bool(ill), still) == ("", True, "the mail server does not take mail now: connection_failed")


async def test_slow_server_hands_back_what_cannot_start(receiver: SmtpReceiver) -> None:
    """What cannot start in time costs no attempt and waits in the queue, not here."""
    receiver.reply = Reply(then="hang")
    outcomes = await send(receiver, *(mail(n) for n in range(6)), connections=1, timeout=0.6, start_within=0.3)

    assert [o.verdict for o in outcomes].count(Verdict.UNKNOWN) == 1
    assert {o.verdict for o in outcomes[1:]} <= {Verdict.RETRY, Verdict.THROTTLED}


async def test_closed_adapter_takes_nothing(receiver: SmtpReceiver) -> None:
    """After close the whole batch certainly did not leave."""
    async with smtp(receiver) as adapter:
        await adapter.close(deadline=1.0)

        with pytest.raises(ProviderDown, match="adapter_closed"):
            await adapter.send([mail()])
