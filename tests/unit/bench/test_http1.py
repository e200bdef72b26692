"""Requests are whole HTTP, and answers are cut where they end, however they come."""

from __future__ import annotations

import pytest

from bench.http1 import cut, request

PLAIN = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\ncontent-length: 5\r\nETag: W/x\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n there\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"


def test_a_request_has_all_that_was_given() -> None:
    """Key, type, further headers and length are there, and the body follows."""
    asked = request("POST", "/a", key="k", content="text/plain", body=b"ab", headers={"If-None-Match": "t"})
    lines = asked.split(b"\r\n")

    assert lines[0] == b"POST /a HTTP/1.1"
    assert {b"Authorization: Bearer k", b"Content-Type: text/plain", b"If-None-Match: t", b"Content-Length: 2"} < set(
        lines
    )
    assert asked.endswith(b"\r\n\r\nab")


def test_a_get_has_no_length() -> None:
    """Nothing is said of a body that is not there; a POST says 0."""
    assert b"Content-Length" not in request("GET", "/")
    assert b"Content-Length: 0\r\n" in request("POST", "/")


@pytest.mark.parametrize(
    ("whole", "status", "body"), [(PLAIN, 202, b"hello"), (CHUNKED, 200, b"hello there"), (EMPTY, 304, b"")]
)
def test_answers_are_cut_where_they_end(whole: bytes, status: int, body: bytes) -> None:
    """Byte by byte, and when two came together."""
    buffer, found = bytearray(), []
    for byte in whole + whole:
        buffer.append(byte)
        if (answer := cut(buffer)) is not None:
            found.append((answer.status, answer.body, answer.size))

    assert found == [(status, body, len(whole))] * 2
    assert not buffer


def test_headers_are_found_in_any_case() -> None:
    """One that is not there is empty."""
    answer = cut(bytearray(PLAIN))

    assert answer is not None
    assert (answer.header("etag"), answer.header("Content-Type"), answer.header("Cookie")) == ("W/x", "text/plain", "")
