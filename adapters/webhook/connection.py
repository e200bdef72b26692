"""One keep-alive connection to a host: a request out, an answer in, one at a time."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from adapters.webhook.answer import AnswerReader, Unreadable


class Asker(Protocol):
    """Who waits for the answer; exactly one of the two is called, once, unless the connection is cut."""

    def answered(self, connection: Connection) -> None:
        """``connection.answer`` has a status."""
        ...

    def unanswered(self, reason: str) -> None:
        """No status came, although the request may have been read: ``reason`` is a snake_case code."""
        ...


class Connection(asyncio.Protocol):
    """A connection that is made; ``idle_since`` is the loop's time at which it was put aside."""

    __slots__ = ("_asker", "_transport", "answer", "idle_since", "usable")

    def __init__(self, most: int) -> None:
        self.answer = AnswerReader(most)
        self.idle_since = 0.0
        self.usable = False
        self._asker: Asker | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready."""
        self._transport = cast("asyncio.Transport", transport)
        self.usable = True

    def ask(self, request: tuple[bytes, bytes], asker: Asker) -> None:
        """Send ``request`` (head and body); ``asker`` hears what comes of it.  Only while nothing else is asked."""
        if self._transport is None:
            raise RuntimeError("there is no connection yet")
        self._asker = asker
        self.answer.begin()
        self._transport.writelines(request)

    def data_received(self, data: bytes) -> None:
        """Read on; a host that speaks without being asked is not listened to."""
        asker = self._asker
        if asker is None:
            self.cut()
            return
        try:
            whole = self.answer.feed(data)
        except Unreadable:
            self.cut()
            asker.unanswered("unreadable_answer")
            return
        if whole:
            self._finish(asker)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what was asked: with the status, if it has been heard."""
        asker = self._asker
        self.cut()
        self._transport = None
        if asker is not None:
            if self.answer.status:
                asker.answered(self)
            else:
                asker.unanswered("connection_lost")

    def cut(self) -> None:
        """Close at once and tell nobody; harmless when it is closed."""
        self._asker = None
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, asker: Asker) -> None:
        self._asker = None
        # An answer that came before the whole request was written leaves the rest of it in the way.
        if not self.answer.reusable or self._transport is None or self._transport.get_write_buffer_size():
            self.cut()
        asker.answered(self)
