"""Of any answer exactly one status is heard, whatever pieces it comes in and whatever surrounds it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.webhook.answer import AnswerReader, Unreadable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\nLink: </a>\r\n\r\n"


def read(*pieces: bytes, most: int = 64 * 1024) -> tuple[bool, int, bool]:
    """Return whether the answer was whole, its status, and whether the connection can be used again."""
    reader = AnswerReader(most)
    whole = False
    for piece in pieces:
        whole = reader.feed(piece)
        if whole:
            break
    return whole, reader.status, reader.reusable


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (OK, (True, 200, True)),
        (CHUNKED, (True, 200, True)),
        (NO_CONTENT, (True, 204, True)),
        (CONTINUE + OK, (True, 200, True)),
        (CONTINUE + HINTS + NO_CONTENT, (True, 204, True)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", (True, 304, True)),
        (b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", (True, 204, False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", (True, 200, False)),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", (True, 200, True)),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nx", (True, 101, False)),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", (True, 200, True)),
    ],
)
def test_answers_are_read_in_any_pieces(answer: bytes, heard: tuple[bool, int, bool]) -> None:
    """Cut anywhere, even after every byte, the answer is the same."""
    assert read(answer) == heard
    assert read(*(answer[n : n + 1] for n in range(len(answer)))) == heard
    for cut in range(1, len(answer)):
        assert read(answer[:cut], answer[cut:]) == heard


@pytest.mark.parametrize("stray", [OK, NO_CONTENT, b"HTTP/1.1 200", b"garbage"])
def test_what_follows_an_answer_spoils_the_connection(stray: bytes) -> None:
    """A second answer belongs to nobody: the next request must not take it for its own."""
    assert read(OK + stray) == (True, 200, False)


def test_an_answer_until_the_end_of_the_connection_has_a_status() -> None:
    """Without a length the body ends with the connection; the status is heard before."""
    assert read(b"HTTP/1.1 202 Accepted\r\n\r\nsome") == (False, 202, False)


@pytest.mark.parametrize("head", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
def test_a_long_body_is_given_up(head: bytes) -> None:
    """Beyond the bound nothing is read; the status counts and the connection is of no use."""
    body = b"186a0\r\n" + b"x" * 70_000 if b"chunked" in head else b"x" * 70_000

    assert read(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body) == (True, 200, False)


def test_a_broken_body_changes_nothing() -> None:
    """The status has been heard; a bad chunk only costs the connection."""
    assert read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") == (True, 200, False)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"220 mail.example ESMTP\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"HTTP/9.1 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"[:20]
        + b"\0\r\n\r\n",
    ],
)
def test_garbage_is_unreadable(answer: bytes) -> None:
    """What is not HTTP says nothing about the post."""
    with pytest.raises(Unreadable):
        read(answer)


@pytest.mark.parametrize("line", [b"X: " + b"y" * 1000 + b"\r\n", b"X: y\r\n"])
def test_an_endless_head_is_cut_off(line: bytes) -> None:
    """Ten thousand headers, or a few enormous ones, are more than anybody needs."""
    reader = AnswerReader(0)
    reader.feed(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(Unreadable):
        all(not reader.feed(line) for _ in range(100_000))


def test_endless_interim_answers_are_cut_off() -> None:
    """A host that says Continue for ever does not hold a post for ever."""
    reader = AnswerReader(0)
    with pytest.raises(Unreadable):
        all(not reader.feed(CONTINUE) for _ in range(100_000))


def test_the_pause_is_kept() -> None:
    """``Retry-After`` is read in any case of letters, from the final head only."""
    reader = AnswerReader(0)
    reader.feed(HINTS + b"HTTP/1.1 429 Slow Down\r\nretry-AFTER: 7\r\nContent-Length: 0\r\n\r\n")
    first = reader.retry_after
    reader.begin()
    reader.feed(NO_CONTENT)

    assert (first, reader.retry_after) == (b"7", b"")


def test_an_interim_pause_is_not_the_answers() -> None:
    """What an interim head says ends with it."""
    reader = AnswerReader(0)
    reader.feed(HINTS + NO_CONTENT)

    assert reader.retry_after == b""


@given(st.lists(st.sampled_from([OK, CHUNKED, NO_CONTENT]), min_size=1, max_size=6))
def test_one_reader_serves_one_answer_after_the_other(answers: list[bytes]) -> None:
    """Whatever answers follow each other on a connection, each is whole and leaves it usable."""
    reader = AnswerReader(1024)
    heard = []
    for answer in answers:
        reader.begin()
        heard.append((reader.feed(answer), reader.reusable))

    assert heard == [(True, True)] * len(answers)


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    """Hostile bytes end as a status, as nothing yet, or as unreadable; nothing else is raised."""
    try:
        whole = AnswerReader(10).feed(b"HTTP/1.1 200 OK\r\n" + data)
    except Unreadable:
        whole = True

    assert whole in (True, False)
