"""The sink counts every post once, however it is cut into pieces."""

from __future__ import annotations

import orjson

from bench.sink import Tally, answer, cut

POST = b"POST /city/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nwebhook-id: a\r\n\r\nhello"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_requests_are_cut_where_they_end() -> None:
    """Half a request is waited for; two that came together are two."""
    buffer = bytearray()
    found = []
    for byte in POST + POST + GET + POST[:-1]:
        buffer.append(byte)
        if (request := cut(buffer)) is not None:
            found.append(request)

    assert found == [POST, POST, GET]
    assert bytes(buffer) == POST[:-1]


def test_length_is_found_in_any_case() -> None:
    """Header names have no case."""
    assert cut(bytearray(b"POST / HTTP/1.1\r\ncontent-LENGTH:2\r\n\r\nok")) is not None


def test_figures_are_between_the_first_and_the_last_post() -> None:
    """Asking for figures is no post, and a new start forgets what was."""
    tally = Tally()
    answers = [answer(POST, tally, now=float(10 + n)) for n in range(5)]
    asked = answer(GET, tally, now=99.0)
    figures = orjson.loads(asked.partition(b"\r\n\r\n")[2])
    answer(b"DELETE / HTTP/1.1\r\n\r\n", tally, now=100.0)

    assert {a.split(b"\r\n")[0] for a in answers} == {b"HTTP/1.1 204 No Content"}
    assert (figures["count"], figures["seconds"], figures["per_second"]) == (5, 4.0, 1.0)
    assert figures["sample"].encode("latin-1") == POST
    assert (tally.count, tally.first) == (0, 0.0)
