"""One table of HTTP answers and errors for all HTTP adapters."""

from __future__ import annotations

import socket
import ssl
from datetime import timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from adapters.http import outcome_of, outcome_of_dial, outcome_of_error, retry_after
from relay.adapter import Outcome, Scope, Verdict
from relay.errors import BlockedTarget
from relay.testing.clocks import START

KEY = ConnectionKey("hook.example", 443, True, True, None, None, None)


def answered(status: int, **headers: str) -> Outcome:
    """Return what an answer means to the webhook adapter."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return outcome_of(status, named, now=START, success=Verdict.DELIVERED)


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [
        *((status, Verdict.DELIVERED, "") for status in (200, 201, 202, 204, 299)),
        *((status, Verdict.REJECTED, "redirect_refused") for status in (300, 301, 302, 303, 304, 307, 308)),
        (410, Verdict.OPTED_OUT, "http_410"),
        (429, Verdict.THROTTLED, "http_429"),
        *((s, Verdict.REJECTED, f"http_{s}") for s in (400, 405, 406, 411, 413, 414, 415, 417, 422, 431)),
        *((s, Verdict.RETRY, f"http_{s}") for s in (401, 402, 403, 404, 407, 408, 409, 421, 423, 425, 451)),
        *((s, Verdict.RETRY, f"http_{s}") for s in (500, 501, 502, 503, 504, 507, 520, 599, 600)),
    ],
)
def test_status_table(status: int, verdict: Verdict, reason: str) -> None:
    """Every status has one meaning; what an operator of the receiver can repair is tried again."""
    outcome = answered(status)

    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_gateway_faults_are_the_providers() -> None:
    """For a gateway the same status is the provider's fault and costs no recipient an attempt."""
    outcome = outcome_of(502, {}, now=START, success=Verdict.ACCEPTED, scope=Scope.PROVIDER)

    assert outcome.scope is Scope.PROVIDER


@pytest.mark.parametrize("status", [429, 503, 500])
def test_retry_after_is_passed_on(status: int) -> None:
    """The pause that the receiver asks for reaches the core."""
    assert answered(status, Retry_After="17").retry_after == 17.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("0", 1.0),
        ("86400", 3600.0),
        (format_datetime(START + timedelta(seconds=90), usegmt=True), 90.0),
        ("Sunday, 01-Mar-26 06:01:00 GMT", 60.0),
        (format_datetime(START - timedelta(days=1), usegmt=True), 1.0),
        (format_datetime(START + timedelta(days=400), usegmt=True), 3600.0),
        *((garbage, None) for garbage in ("", None, "soon", "-5", "1.5", "٥", "1e3", "nan", "9" * 65, "Mon, 99 Foo")),
    ],
)
def test_retry_after_forms(value: str | None, seconds: float | None) -> None:
    """Seconds and dates are understood and bounded to 1 s .. 1 h; garbage is ignored."""
    assert retry_after(value, now=START) == seconds


@pytest.mark.parametrize(
    ("error", "verdict", "reason"),
    [
        (aiohttp.ClientConnectorError(KEY, OSError(111, "refused")), Verdict.RETRY, "connection_failed"),
        (aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "unknown")), Verdict.RETRY, "name_not_found"),
        (aiohttp.ClientConnectorError(KEY, BlockedTarget("10.0.0.1")), Verdict.REJECTED, "blocked_target"),
        (aiohttp.ClientConnectorDNSError(KEY, BlockedTarget("10.0.0.1")), Verdict.REJECTED, "blocked_target"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "bad")), Verdict.RETRY, "tls_failed"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("old")), Verdict.RETRY, "tls_failed"),
        (aiohttp.ConnectionTimeoutError(), Verdict.RETRY, "connection_timeout"),
        (aiohttp.InvalidURL("x"), Verdict.REJECTED, "bad_uri"),
        (TimeoutError(), Verdict.UNKNOWN, "timeout"),
        (aiohttp.SocketTimeoutError(), Verdict.UNKNOWN, "timeout"),
        (aiohttp.ServerDisconnectedError(), Verdict.UNKNOWN, "connection_lost"),
        (aiohttp.ClientOSError(104, "reset"), Verdict.UNKNOWN, "connection_lost"),
        (aiohttp.ClientPayloadError("short"), Verdict.UNKNOWN, "connection_lost"),
        (ConnectionResetError(), Verdict.UNKNOWN, "connection_lost"),
    ],
)
def test_error_table(error: Exception, verdict: Verdict, reason: str) -> None:
    """Only what certainly did not leave is tried again; after the request was written nothing is certain."""
    outcome = outcome_of_error(error)

    assert (outcome.verdict, outcome.reason) == (verdict, reason)


def test_details_name_no_host() -> None:
    """The error's own words hold the host; the operator gets its class."""
    outcome = outcome_of_error(aiohttp.ClientConnectorError(KEY, OSError(111, "hook.example refused")))

    assert outcome.detail == "ClientConnectorError"


@pytest.mark.parametrize(
    ("error", "verdict", "reason"),
    [
        (BlockedTarget("10.0.0.1"), Verdict.REJECTED, "blocked_target"),
        (socket.gaierror(-2, "unknown"), Verdict.RETRY, "name_not_found"),
        (ssl.CertificateError("old"), Verdict.RETRY, "tls_failed"),
        (ssl.SSLError(1, "bad"), Verdict.RETRY, "tls_failed"),
        (TimeoutError(), Verdict.RETRY, "connection_timeout"),
        (ConnectionRefusedError(111, "hook.example refused"), Verdict.RETRY, "connection_failed"),
        (OSError("hook.example: multiple exceptions"), Verdict.RETRY, "connection_failed"),
    ],
)
def test_without_a_connection_nothing_left(error: OSError, verdict: Verdict, reason: str) -> None:
    """Whatever kept the connection from being made, the message is not in doubt; the detail names no host."""
    outcome = outcome_of_dial(error)

    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert "hook.example" not in outcome.detail
