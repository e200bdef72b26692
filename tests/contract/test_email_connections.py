"""The smtp adapter's connections: kept, renewed, protected, and lost."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import ValidationError

from adapters.email.smtp import SmtpSettings
from relay.adapter import Scope, Verdict
from relay.errors import ConfigError, ProviderDown
from relay.testing.smtp import Reply, SmtpReceiver
from tests.contract.smtp_side import SENDER, mail, send, smtp


@pytest.fixture(params=[False, True], ids=["one by one", "pipelining"])
async def receiver(request: pytest.FixtureRequest) -> AsyncIterator[SmtpReceiver]:
    """An SMTP server that takes everything."""
    async with SmtpReceiver(pipelining=request.param) as running:
        yield running


class Once(dict[str, Reply]):
    """Replies that are given once."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the reply and forget it."""
        return self.pop(key, default)


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
        receiver.replies = Once({"duty2@rescue.example": Reply(stage="rcpt", line="421 4.4.2 idle too long")})
        outcomes = await adapter.send([mail(2)])

    assert receiver.connections == 2
    assert outcomes[0].verdict is Verdict.ACCEPTED


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


async def test_a_server_that_hangs_is_not_well(receiver: SmtpReceiver) -> None:
    """When all connections wait for an answer, nobody can say that the server gives any."""
    receiver.reply = Reply(then="hang")
    async with smtp(receiver, connections=1, start_within=0.2) as adapter, asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(adapter.send([mail()]))
        while not receiver.connections:
            await asyncio.sleep(0.001)
        ill = await adapter.health()
        sending.cancel()

    assert "busy" in ill


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
