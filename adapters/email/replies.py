"""What an SMTP reply, or the lack of one, means for a delivery.

One recipient a transaction, so that every code belongs to one delivery.  A reply's words are never passed on: they
mostly hold the address; the code and the enhanced code (RFC 3463) are.
"""

from __future__ import annotations

import re
import ssl
from enum import StrEnum
from typing import Final

import aiosmtplib

from relay.adapter import Outcome, Scope, Verdict

_ENHANCED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_QUEUE_IDS: Final = (
    re.compile(r"queued as\s+<?([A-Za-z0-9._-]{1,64})"),  # Postfix and many others
    re.compile(r"\bid=([A-Za-z0-9._-]{1,64})"),  # Exim
    re.compile(r"^(?:2\.\d\.\d )?([A-Za-z0-9._-]{1,64}) Message accepted"),  # Sendmail
)


class Stage(StrEnum):
    """How far a transaction came."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the command was answered by 354 or a refusal: no byte of the message left
    MESSAGE = "message"  # the bytes may have left


def outcome_of_reply(stage: Stage, code: int, words: str) -> Outcome:
    """Return what the refusal ``code`` at ``stage`` means; 2xx and 354 are not for this function."""
    enhanced = _ENHANCED.search(words[:64])
    detail = f"{code} {enhanced[0]}" if enhanced else str(code)
    verdict, scope = Verdict.RETRY, Scope.RECIPIENT
    if code == 421 or not 400 <= code < 600 or (stage in {Stage.CONNECT, Stage.MAIL} and code < 500):
        scope = Scope.PROVIDER
    elif code >= 500 and _is_ours_to_fix(stage, code, words):
        scope = Scope.CONFIG
    elif code >= 500:
        verdict = Verdict.REJECTED
        scope = Scope.RECIPIENT if stage is Stage.RCPT else Scope.MESSAGE
    return Outcome(verdict=verdict, reason=f"smtp_{code}", scope=scope, detail=detail)


def _is_ours_to_fix(stage: Stage, code: int, words: str) -> bool:
    """Return whether a 5xx is about the relay's own account: no recipient must lose an alert over that."""
    return stage in {Stage.CONNECT, Stage.MAIL} or code in {503, 530, 535, 538} or "relay" in words.lower()


def outcome_of_loss(stage: Stage, *, timed_out: bool) -> Outcome:
    """Return what a lost connection or a time-out at ``stage`` means: only after the message it is in doubt."""
    reason = "timeout" if timed_out else "connection_lost"
    verdict = Verdict.UNKNOWN if stage is Stage.MESSAGE else Verdict.RETRY
    return Outcome(verdict=verdict, reason=reason, scope=Scope.PROVIDER, detail=f"at {stage}")


def outcome_of_connecting(error: Exception) -> Outcome:
    """Return what an exception while connecting, upgrading or signing in means for all that waits."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        scope = Scope.CONFIG if error.code >= 500 else Scope.PROVIDER
        return Outcome(verdict=Verdict.RETRY, reason="auth_failed", scope=scope, detail=str(error.code))
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return outcome_of_reply(Stage.CONNECT, error.code, error.message)
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return Outcome(verdict=Verdict.RETRY, reason="tls_failed", scope=Scope.CONFIG)
    if isinstance(error, TimeoutError):
        return Outcome(verdict=Verdict.RETRY, reason="connection_timeout", scope=Scope.PROVIDER)
    if isinstance(error, OSError):
        return Outcome(verdict=Verdict.RETRY, reason="connection_failed", scope=Scope.PROVIDER)
    # What the library raises as its bare class: STARTTLS or AUTH is demanded but not offered.  No downgrade.
    reason = "starttls_not_offered" if "TLS" in str(error) else "auth_not_offered"
    return Outcome(verdict=Verdict.RETRY, reason=reason, scope=Scope.CONFIG)


def queue_id(words: str) -> str:
    """Return the provider's id in its final 250, or an empty string."""
    found = next((match for pattern in _QUEUE_IDS if (match := pattern.search(words))), None)
    return found[1] if found else ""
