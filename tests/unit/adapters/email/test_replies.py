"""What SMTP replies mean."""

from __future__ import annotations

import ssl

import aiosmtplib
import pytest

from adapters.email.replies import Stage, outcome_of_connecting, outcome_of_loss, outcome_of_reply, queue_id
from relay.adapter import Scope, Verdict

RETRY, REJECTED, UNKNOWN = Verdict.RETRY, Verdict.REJECTED, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("stage", "code", "words", "verdict", "scope"),
    [
        (Stage.RCPT, 550, "5.1.1 no such user", REJECTED, Scope.RECIPIENT),
        (Stage.RCPT, 553, "not allowed", REJECTED, Scope.RECIPIENT),
        (Stage.RCPT, 450, "4.2.0 greylisted", RETRY, Scope.RECIPIENT),
        (Stage.RCPT, 452, "4.2.2 full", RETRY, Scope.RECIPIENT),
        (Stage.RCPT, 421, "4.3.2 going down", RETRY, Scope.PROVIDER),
        (Stage.RCPT, 554, "5.7.1 Relay access denied", RETRY, Scope.CONFIG),
        (Stage.RCPT, 530, "5.7.0 authentication required", RETRY, Scope.CONFIG),
        (Stage.RCPT, 503, "need MAIL first", RETRY, Scope.CONFIG),
        (Stage.MAIL, 550, "5.7.1 sender not yours", RETRY, Scope.CONFIG),
        (Stage.MAIL, 451, "4.3.0 later", RETRY, Scope.PROVIDER),
        (Stage.DATA, 554, "no valid recipients", REJECTED, Scope.MESSAGE),
        (Stage.DATA, 451, "later", RETRY, Scope.RECIPIENT),
        (Stage.MESSAGE, 554, "5.7.1 spam", REJECTED, Scope.MESSAGE),
        (Stage.MESSAGE, 552, "5.3.4 too big", REJECTED, Scope.MESSAGE),
        (Stage.MESSAGE, 451, "4.3.0 queue full", RETRY, Scope.RECIPIENT),
        (Stage.MESSAGE, 421, "going down", RETRY, Scope.PROVIDER),
        (Stage.CONNECT, 554, "no service here", RETRY, Scope.CONFIG),
        (Stage.CONNECT, 421, "too many connections", RETRY, Scope.PROVIDER),
        (Stage.RCPT, 220, "what?", RETRY, Scope.PROVIDER),
    ],
)
def test_reply_table(stage: Stage, code: int, words: str, verdict: Verdict, scope: Scope) -> None:
    """Who or what a code is about decides: the recipient, the message, the provider or our configuration."""
    outcome = outcome_of_reply(stage, code, words)

    assert (outcome.verdict, outcome.scope, outcome.reason) == (verdict, scope, f"smtp_{code}")


def test_details_hold_codes_only() -> None:
    """A server's words mostly repeat the address; they go nowhere."""
    outcome = outcome_of_reply(Stage.RCPT, 550, "5.1.1 <duty@rescue.example> unknown")

    assert outcome.detail == "550 5.1.1"


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.MAIL, Stage.RCPT, Stage.DATA])
@pytest.mark.parametrize("timed_out", [True, False])
def test_loss_before_the_message_is_certain(stage: Stage, *, timed_out: bool) -> None:
    """Until the message is written nothing can have left."""
    outcome = outcome_of_loss(stage, timed_out=timed_out)

    assert (outcome.verdict, outcome.scope) == (RETRY, Scope.PROVIDER)


def test_loss_after_the_message_is_in_doubt() -> None:
    """Once the message is written, only the answer tells."""
    assert outcome_of_loss(Stage.MESSAGE, timed_out=True).verdict is UNKNOWN
    assert outcome_of_loss(Stage.MESSAGE, timed_out=False).verdict is UNKNOWN


def caused(by: Exception) -> Exception:
    """Return the library's connection error with its cause."""
    error = aiosmtplib.SMTPConnectError("Error connecting")
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "reason", "scope"),
    [
        (aiosmtplib.SMTPAuthenticationError(535, "bad"), "auth_failed", Scope.CONFIG),
        (aiosmtplib.SMTPAuthenticationError(454, "later"), "auth_failed", Scope.PROVIDER),
        (aiosmtplib.SMTPConnectResponseError(421, "busy"), "smtp_421", Scope.PROVIDER),
        (caused(ssl.SSLCertVerificationError(1, "unknown")), "tls_failed", Scope.CONFIG),
        (ssl.SSLError(1, "bad"), "tls_failed", Scope.CONFIG),
        (caused(ConnectionRefusedError()), "connection_failed", Scope.PROVIDER),
        (aiosmtplib.SMTPServerDisconnected("lost"), "connection_failed", Scope.PROVIDER),
        (aiosmtplib.SMTPConnectTimeoutError("slow"), "connection_timeout", Scope.PROVIDER),
        (TimeoutError(), "connection_timeout", Scope.PROVIDER),
        (
            aiosmtplib.SMTPException("SMTP STARTTLS extension not supported by server."),
            "starttls_not_offered",
            Scope.CONFIG,
        ),
        (aiosmtplib.SMTPException("SMTP AUTH extension not supported by server."), "auth_not_offered", Scope.CONFIG),
    ],
)
def test_connecting_table(error: Exception, reason: str, scope: Scope) -> None:
    """A fault of the connection spends nobody's attempt and says whose fault it is."""
    outcome = outcome_of_connecting(error)

    assert (outcome.verdict, outcome.reason, outcome.scope) == (RETRY, reason, scope)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("2.0.0 Ok: queued as 4Tq2Zk1Y9Wz", "4Tq2Zk1Y9Wz"),
        ("OK id=1rFfXQ-0003aB-2z", "1rFfXQ-0003aB-2z"),
        ("2.0.0 4B1AbCdE012345 Message accepted for delivery", "4B1AbCdE012345"),
        ("Ok", ""),
        ("2.0.0 OK  1709272800 x-12 - gsmtp", ""),
        ("queued as " + "x" * 200, "x" * 64),
        ("queued as \r\nBcc: x", "Bcc"),
    ],
)
def test_queue_ids(words: str, found: str) -> None:
    """The usual servers' ids are found, bounded, and hold nothing odd."""
    assert queue_id(words) == found
