"""Commands out, replies in: SMTP after the sign-in, several commands at once where the server allows it (RFC 2920)."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, NamedTuple

_MOST: Final = 64 * 1024  # bytes of a reply


class Lost(Exception):
    """The connection is gone, or what came is no SMTP."""


class Reply(NamedTuple):
    """One reply: its code, and its words without the codes in front of them."""

    code: int
    words: str


class Dialogue(asyncio.Protocol):
    """Takes over a connection that is greeted, upgraded and signed in."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.connected = not transport.is_closing()
        self._transport = transport
        self._buffer = bytearray()
        self._code = b""
        self._words: list[str] = []
        self._replies: deque[Reply] = deque()
        self._expected = 0
        self._waiter: asyncio.Future[None] | None = None
        transport.set_protocol(self)

    def write(self, data: bytes, *, replies: int) -> None:
        """Write commands, or a message, that are answered by ``replies`` replies.

        Raises:
            Lost: the connection is gone.
        """
        if not self.connected:
            raise Lost
        self._expected += replies
        self._transport.write(data)

    async def reply(self) -> Reply:
        """Return the next reply.

        Raises:
            Lost: it does not come any more.
        """
        while not self._replies:
            if not self.connected:
                raise Lost
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._replies.popleft()

    def close(self) -> None:
        """Let the connection go."""
        self.connected = False
        self._transport.close()
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Read the replies that are whole; one that nobody waits for (421 before closing) ends the connection."""
        self._buffer += data
        try:
            while (line := self._line()) is not None:
                self._read(line)
        except ValueError:
            self.close()
        if len(self._buffer) > _MOST or sum(map(len, self._words)) > _MOST:
            self.close()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing comes any more."""
        self.connected = False
        self._wake()

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _read(self, line: bytes) -> None:
        if not self._expected or not line[:3].isdigit() or line[3:4] not in {b"", b" ", b"-", b"\r"}:
            raise ValueError("not a reply, or one to nothing")
        if len(line) > _MOST or (self._words and line[:3] != self._code):
            raise ValueError("too long, or two replies in one")
        self._code = line[:3]
        self._words.append(line[4:].decode("utf-8", "replace").strip())
        if line[3:4] != b"-":
            self._expected -= 1
            self._replies.append(Reply(int(line[:3]), "\n".join(self._words)))
            self._words = []

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
