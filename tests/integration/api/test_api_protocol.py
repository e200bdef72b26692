"""Bytes on the wire that are no request, or a strange one (bad inputs, class A)."""

from __future__ import annotations

import os
import time

import pytest

from tests.integration.api.house import House, alert_xml

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST = b"POST /v1/alerts HTTP/1.1\r\nHost: relay\r\nContent-Type: application/cap+xml\r\n"


def status_of(answer: bytes) -> int:
    """Return the status in the first line of an answer, 0 when there is none."""
    parts = answer.split(b" ", 2)
    return int(parts[1]) if len(parts) > 1 and parts[0].startswith(b"HTTP/") else 0


BAD_FRAMING = {
    "BI-001 length and chunked": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "BI-002 two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "BI-004 plus": POST + b"Content-Length: +5\r\n\r\nhello",
    "BI-004 minus": POST + b"Content-Length: -1\r\n\r\n",
    "BI-004 hex": POST + b"Content-Length: 0x10\r\n\r\nhello",
    "BI-004 list": POST + b"Content-Length: 5, 5\r\n\r\nhello",
    "BI-004 Arabic-Indic": POST + "Content-Length: ٥\r\n\r\nhello".encode(),
    "BI-005 xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "BI-006 chunked, identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "BI-007 space before colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "BI-014 folded header": POST + b"X-Fold: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "BI-015 NUL": POST + b"X-Nul: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "BI-015 CR alone": POST + b"X-Cr: a\rb\r\nContent-Length: 0\r\n\r\n",
    "BI-016 no Host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "BI-017 two Hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "BI-027 TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "BI-027 SSH banner": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}


@pytest.mark.parametrize("row", BAD_FRAMING)
async def test_broken_framing_is_a_bad_request(house: House, row: str) -> None:
    """What is not framed as HTTP says is answered 400 as a problem, and the connection ends."""
    got = await house.raw(BAD_FRAMING[row])

    assert status_of(got) == 400, got[:200]
    assert b"application/problem+json" in got
    assert b"urn:chapar:problem:malformed-request" in got


async def test_an_error_of_the_parser_tells_nothing(house: House) -> None:
    """The answer to broken bytes repeats none of them and names no software."""
    got = await house.raw(POST + b"X-Secret: \x00evil-marker\r\n\r\n")

    assert b"evil-marker" not in got
    assert b"aiohttp" not in got.lower()
    assert b"python" not in got.lower()
    assert b"nosniff" in got


async def test_random_bytes_end_the_connection(house: House) -> None:
    """64 KiB of noise (BI-027) is refused, and the next request is served."""
    got = await house.raw(os.urandom(65536))

    assert status_of(got) in (0, 400, 431)
    assert (await house.ask("GET", "/healthz", who="")).status == 200


OTHER_VERSIONS = {
    "BI-019 HTTP/0.9": b"GET /healthz HTTP/0.9\r\n\r\n",
    "BI-020 HTTP/2.0": b"GET /healthz HTTP/2.0\r\nHost: relay\r\n\r\n",
    "BI-020 h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("row", OTHER_VERSIONS)
async def test_only_http_1_is_spoken(house: House, row: str) -> None:
    """Other versions of HTTP are refused in words, not answered as if they were ours."""
    assert status_of(await house.raw(OTHER_VERSIONS[row])) in (400, 505)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "DELETE", "FOO"])
async def test_other_methods_do_nothing(house: House, method: str) -> None:
    """A method that a resource does not have is 405 with those that it has (BI-021)."""
    got = await house.raw(f"{method} /v1/alerts HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n".encode())

    # llhttp knows no FOO, and CONNECT has no path: for those the request itself is at fault.
    assert status_of(got) in ((405,) if method in ("TRACE", "DELETE") else (400, 404, 405))
    if method == "DELETE":
        assert b"Allow: GET, HEAD, POST" in got
        assert b"urn:chapar:problem:method-not-allowed" in got


async def test_a_method_override_has_no_effect(house: House) -> None:
    """X-HTTP-Method-Override changes nothing (BI-022)."""
    got = await house.ask("GET", "/v1/alerts", X_HTTP_Method_Override="DELETE")

    assert got.status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /healthz HTTP/1.1\r\nHost: relay\r\nX-Long: " + b"a" * 16384 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: relay\r\n"
        + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(200))
        + b"\r\n",
        b"GET /" + b"a" * 9216 + b" HTTP/1.1\r\nHost: relay\r\n\r\n",
    ],
    ids=["BI-024 one long header", "BI-024 many headers", "BI-025 long target"],
)
async def test_headers_are_bounded(house: House, request_bytes: bytes) -> None:
    """Headers and targets of any size are refused, not gathered."""
    assert status_of(await house.raw(request_bytes)) in (400, 414, 431)


async def test_a_dripping_body_is_given_up(house: House) -> None:
    """A body that stops coming is answered 408 (BI-031), and the connection ends."""
    head = POST + b"Authorization: Bearer " + house.keys["meteo"].encode() + b"\r\nContent-Length: 100\r\n\r\n"
    began = time.monotonic()
    got = await house.raw(head + b"<alert>   ", seconds=8)

    assert status_of(got) == 408
    assert b"urn:chapar:problem:request-timeout" in got
    assert time.monotonic() - began < 6


async def test_half_a_body_stores_nothing(house: House) -> None:
    """A client that hangs up in the middle of its body gets nothing, and nothing is stored (BI-032)."""
    before = (await house.ask("GET", "/v1/alerts")).json
    head = POST + b"Authorization: Bearer " + house.keys["meteo"].encode() + b"\r\nContent-Length: 1000\r\n\r\n"
    got = await house.raw(head + alert_xml("half")[:100], eof=True, seconds=3)

    assert status_of(got) in (0, 400)
    assert (await house.ask("GET", "/v1/alerts")).json == before


async def test_nobody_is_told_to_send_a_huge_body(house: House) -> None:
    """``Expect: 100-continue`` with 10 GiB is 413 at once, without ``100 Continue`` (BI-034)."""
    head = POST + b"Authorization: Bearer " + house.keys["meteo"].encode() + b"\r\n"
    got = await house.raw(head + b"Content-Length: 10737418240\r\nExpect: 100-continue\r\n\r\n", seconds=4)

    assert status_of(got) == 413
    assert b"100 Continue" not in got


async def test_a_stranger_is_not_told_to_go_on(house: House) -> None:
    """Without a key, or on an unknown path, a waiting client is refused before it sends anything."""
    for path in (b"/v1/alerts", b"/nowhere"):
        head = b"POST " + path + b" HTTP/1.1\r\nHost: relay\r\nContent-Type: application/cap+xml\r\n"
        got = await house.raw(head + b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n", seconds=1)

        assert status_of(got) in (401, 404)
        assert b"100 Continue" not in got


async def test_a_waiting_client_is_told_to_go_on(house: House) -> None:
    """A client that is welcome hears ``100 Continue``, then its answer."""
    body = alert_xml("expect-1")
    head = POST + b"Authorization: Bearer " + house.keys["meteo"].encode()
    head += f"\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    got = await house.raw(head + body)

    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 ")


async def test_another_expectation_fails(house: House) -> None:
    """``Expect: nonsense`` is 417 (BI-035)."""
    got = await house.raw(POST + b"Expect: nonsense\r\nContent-Length: 0\r\n\r\n", seconds=1)

    assert status_of(got) == 417
    assert b"urn:chapar:problem:expectation-failed" in got


async def test_upgrades_and_ranges_are_ignored(house: House) -> None:
    """A post with Range, If-Match and Upgrade is a post (BI-037)."""
    got = await house.post(alert_xml("range-1"), Range="bytes=0-1", If_Match='"x"', Upgrade="websocket")

    assert got.status == 202


async def test_pipelined_requests_are_answered_in_order(house: House) -> None:
    """Many requests in one packet are answered one after another (BI-026)."""
    one = b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n"
    got = await house.raw(one * 199 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    assert got.count(b"HTTP/1.1 200 OK") == 200


@pytest.mark.parametrize(
    "chunks",
    [b"5\nhello\r\n0\r\n\r\n", b"zz\r\nhello\r\n0\r\n\r\n", b"5;" + b"x" * 1048576 + b"\r\nhello\r\n0\r\n\r\n"],
    ids=["BI-010 bare LF", "no number", "BI-009 long extension"],
)
async def test_broken_chunks_are_a_bad_request(house: House, chunks: bytes) -> None:
    """A chunked body that is not framed as HTTP says is refused and stores nothing."""
    head = POST + b"Authorization: Bearer " + house.keys["meteo"].encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert status_of(await house.raw(head + chunks, seconds=3)) in (0, 400)
