"""A connection carries one request at a time, and whoever asks hears exactly one word about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from adapters.webhook.connection import Connection

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
REQUEST = (b"POST / HTTP/1.1\r\n\r\n", b"{}")


class Wire(asyncio.Transport):
    """A transport that keeps what is written and knows whether it was cut."""

    def __init__(self, buffered: int = 0) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_cut = False
        self._buffered = buffered

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Keep."""
        self.written += [bytes(data) for data in list_of_data]

    def get_write_buffer_size(self) -> int:
        """Return what is not written yet."""
        return self._buffered

    def abort(self) -> None:
        """Be cut."""
        self.is_cut = True


class Asker:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def answered(self, connection: Connection) -> None:
        """Keep the status and whether the connection is usable."""
        self.heard.append((connection.answer.status, connection.usable))

    def unanswered(self, reason: str) -> None:
        """Keep the reason."""
        self.heard.append(reason)


def asked(buffered: int = 0) -> tuple[Connection, Wire, Asker]:
    """Return a connection that was asked something."""
    connection, wire, asker = Connection(10), Wire(buffered), Asker()
    connection.connection_made(wire)
    connection.ask(REQUEST, asker)
    return connection, wire, asker


def test_an_answer_frees_the_connection() -> None:
    """After the answer the next request can be asked."""
    connection, wire, asker = asked()
    connection.data_received(NO_CONTENT[:10])
    connection.data_received(NO_CONTENT[10:])
    connection.ask(REQUEST, asker)
    connection.data_received(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")

    assert asker.heard == [(204, True), (500, True)]
    assert wire.written == [*REQUEST, *REQUEST]
    assert not wire.is_cut


def test_a_closed_connection_is_unanswered() -> None:
    """Whether the request was read before the end, nobody knows."""
    connection, _, asker = asked()
    connection.data_received(NO_CONTENT[:10])
    connection.connection_lost(ConnectionResetError())

    assert asker.heard == ["connection_lost"]
    assert not connection.usable


def test_the_end_of_the_connection_can_end_the_body() -> None:
    """A status that was heard counts, however the connection ends."""
    connection, _, asker = asked()
    connection.data_received(b"HTTP/1.1 202 Accepted\r\n\r\nbody")
    connection.connection_lost(None)

    assert asker.heard == [(202, False)]


def test_garbage_is_unreadable() -> None:
    """A host that does not speak HTTP is cut off, and heard of once."""
    connection, wire, asker = asked()
    connection.data_received(b"SSH-2.0\r\n")
    connection.connection_lost(None)

    assert asker.heard == ["unreadable_answer"]
    assert wire.is_cut


def test_a_host_that_says_too_much_is_cut_off() -> None:
    """Beyond the bound of a body the connection is given up."""
    connection, wire, asker = asked()
    connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 20)

    assert asker.heard == [(200, False)]
    assert wire.is_cut


def test_a_host_that_speaks_unasked_is_cut_off() -> None:
    """An answer to nothing would be taken for the answer to the next request."""
    connection, wire, asker = asked()
    connection.data_received(NO_CONTENT)
    connection.data_received(NO_CONTENT)
    connection.connection_lost(None)

    assert asker.heard == [(204, True)]
    assert wire.is_cut
    assert not connection.usable


def test_an_answer_before_the_whole_request_ends_the_connection() -> None:
    """What is left of the request would be in the way of the next."""
    connection, wire, asker = asked(buffered=1)
    connection.data_received(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    assert asker.heard == [(413, False)]
    assert wire.is_cut


def test_a_cut_connection_says_nothing() -> None:
    """Who cuts knows what it means."""
    connection, wire, asker = asked()
    connection.cut()
    connection.data_received(NO_CONTENT)
    connection.connection_lost(None)
    connection.cut()

    assert asker.heard == []
    assert wire.is_cut
