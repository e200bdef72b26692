"""What an HTTP answer, or the lack of one, means for a delivery: the one mapping for all HTTP adapters.

Why 401, 403 and 404 are tried again although they look final: behind a recipient's URL they mostly mean a rotated
secret, a firewall rule or a deployment in progress.  Somebody can repair that while the alert still matters, a few
posts with growing pauses cost nothing, and they end when the alert expires.  Standard Webhooks retries them too.
What cannot be repaired on the other side (the same bytes are as malformed or as large next time) is refused at once,
so that the operator sees it in the first minute.  410 is the documented way to say: send nothing here any more.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from relay.adapter import Outcome, Scope, Verdict
from relay.errors import BlockedTarget

LONGEST_PAUSE: Final = 3600.0  # seconds; a longer Retry-After is cut to this
SHORTEST_PAUSE: Final = 1.0

# 400 malformed, 405 no POST here, 406, 411, 413 too large, 414, 415 media type, 417, 422 content, 431 headers
_FINAL: Final = frozenset({400, 405, 406, 411, 413, 414, 415, 417, 422, 431})


def outcome_of(
    status: int, headers: Mapping[str, str], *, now: datetime, success: Verdict, scope: Scope = Scope.RECIPIENT
) -> Outcome:
    """Return what the answer ``status`` means; ``success`` is what 2xx means for this adapter.

    ``scope`` is RECIPIENT where the recipient's own system answers and PROVIDER where a gateway does.
    """
    reason = f"http_{status}"
    if 200 <= status < 300:
        return Outcome(verdict=success)
    if 300 <= status < 400:
        return Outcome(verdict=Verdict.REJECTED, reason="redirect_refused", scope=scope, detail=f"HTTP {status}")
    if status == 410:
        return Outcome(verdict=Verdict.OPTED_OUT, reason=reason)
    if status in _FINAL:
        return Outcome(verdict=Verdict.REJECTED, reason=reason)
    pause = retry_after(headers.get("Retry-After"), now=now)
    verdict = Verdict.THROTTLED if status == 429 else Verdict.RETRY
    return Outcome(verdict=verdict, reason=reason, scope=scope, retry_after=pause)


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the pause in seconds that a ``Retry-After`` header asks for, at least 1 and at most 3,600.

    Seconds and HTTP dates are understood; anything else is ignored.
    """
    if not value or len(value) > 64:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(seconds, SHORTEST_PAUSE), LONGEST_PAUSE)


# The first class that fits counts.
_ERRORS: Final[tuple[tuple[type[Exception], Verdict, str], ...]] = (
    (aiohttp.ClientConnectorDNSError, Verdict.RETRY, "name_not_found"),
    (aiohttp.ClientSSLError, Verdict.RETRY, "tls_failed"),
    (aiohttp.ClientConnectorError, Verdict.RETRY, "connection_failed"),
    (aiohttp.ConnectionTimeoutError, Verdict.RETRY, "connection_timeout"),
    (aiohttp.InvalidURL, Verdict.REJECTED, "bad_uri"),
    (TimeoutError, Verdict.UNKNOWN, "timeout"),
    (aiohttp.ClientResponseError, Verdict.UNKNOWN, "unreadable_answer"),
)


def outcome_of_error(error: Exception, *, scope: Scope = Scope.RECIPIENT) -> Outcome:
    """Return what an exception of an aiohttp request means.

    The request must use a ``connect`` time-out below its total, so that a time-out of the connection is told apart
    from one after the request was written: only the first certainly did not leave.
    """
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, BlockedTarget):
        return Outcome(verdict=Verdict.REJECTED, reason="blocked_target", scope=scope)
    detail = type(error).__name__  # never the error's own words: they hold the host
    for kind, verdict, reason in _ERRORS:
        if isinstance(error, kind):
            return Outcome(verdict=verdict, reason=reason, scope=scope, detail=detail)
    return Outcome(verdict=Verdict.UNKNOWN, reason="connection_lost", scope=scope, detail=detail)


_DIALS: Final[tuple[tuple[type[OSError], Verdict, str], ...]] = (
    (BlockedTarget, Verdict.REJECTED, "blocked_target"),
    (socket.gaierror, Verdict.RETRY, "name_not_found"),
    (ssl.SSLError, Verdict.RETRY, "tls_failed"),
    (TimeoutError, Verdict.RETRY, "connection_timeout"),
)


def outcome_of_dial(error: OSError, *, scope: Scope = Scope.RECIPIENT) -> Outcome:
    """Return what it means that no connection could be made: nothing left, whatever the reason."""
    detail = type(error).__name__  # never the error's own words: they hold the host
    for kind, verdict, reason in _DIALS:
        if isinstance(error, kind):
            return Outcome(verdict=verdict, reason=reason, scope=scope, detail=detail)
    return Outcome(verdict=Verdict.RETRY, reason="connection_failed", scope=scope, detail=detail)
