"""The mail sink: a process of its own that takes every mail as fast as Python can, and says when mails came.

``python -m bench.smtp_sink`` prints its port; ``reset``, ``report``, ``sample`` and ``later <ms>`` (to answer) are what
it can be asked.  It offers what Postfix offers to a client without TLS, PIPELINING too.
"""

from __future__ import annotations

import asyncio
from typing import cast

import uvloop

from bench import control
from bench.counting import Count

_GREETING = b"220 sink.example ESMTP\r\n"
_EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
_GO_ON = b"354 End data with <CR><LF>.<CR><LF>\r\n"
_ENDS = b"\r\n.\r\n"
_ANSWERS = {
    b"EHLO": _EHLO,
    b"HELO": b"250 sink.example\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"NOOP": b"250 2.0.0 Ok\r\n",
    b"DATA": _GO_ON,
    b"QUIT": b"221 2.0.0 Bye\r\n",
}


class Box:
    """What came: counts, and the last mail with its envelope."""

    def __init__(self) -> None:
        self.count = Count()
        self.envelope: list[bytes] = []
        self.mail = b""
        self.later = 0.0  # seconds

    def take(self, mail: bytes) -> bytes:
        """Keep a mail and return the answer."""
        self.count.add()
        self.mail = mail
        return b"250 2.0.0 Ok: queued as %010X\r\n" % self.count.count


class Session:
    """One SMTP conversation, without a socket."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._buffer = bytearray()
        self._in_data = False
        self.over = False

    def feed(self, data: bytes) -> bytes:
        """Take what came and return the answers to all that is whole."""
        self._buffer += data
        said = b""
        while not self.over and (answer := self._step()):
            said += answer
        return said

    def _step(self) -> bytes:
        if self._in_data:
            # A dot that ends an empty message follows the command's own line end.
            end = 0 if self._buffer.startswith(b".\r\n") else self._buffer.find(_ENDS)
            if end < 0:
                return b""
            mail = bytes(self._buffer[: end + 2]) if end else b""
            del self._buffer[: end + len(_ENDS) if end else 3]
            self._in_data = False
            return self._box.take(mail)
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return b""
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        word = line[:4].upper()
        if word == b"MAIL":
            self._box.envelope = [line]
        elif word == b"RCPT":
            self._box.envelope.append(line)
        self._in_data, self.over = word == b"DATA", word == b"QUIT"
        return _ANSWERS.get(word, b"502 5.5.2 Error: command not recognized\r\n")


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._session = Session(box)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(_GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer, now or as much later as was asked for."""
        said = self._session.feed(data)
        if self._box.later:
            asyncio.get_running_loop().call_later(self._box.later, self._say, said)
        else:
            self._say(said)

    def _say(self, said: bytes) -> None:
        if self._transport is not None:
            if said:
                self._transport.write(said)
            if self._session.over:
                self._transport.close()


async def serve() -> None:
    """Listen until standard input ends."""
    box = Box()

    async def reset(_: str) -> object:
        box.count.reset()
        return None

    async def report(_: str) -> object:
        return box.count.to_json()

    async def sample(_: str) -> object:
        return {"envelope": [line.decode("latin-1") for line in box.envelope], "mail": box.mail.decode("latin-1")}

    async def later(millis: str) -> object:
        box.later = float(millis) / 1000
        return None

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(box), "127.0.0.1", 0, backlog=1024)
    async with server:
        answers = {"reset": reset, "report": report, "sample": sample, "later": later}
        await control.serve(server.sockets[0].getsockname()[1], answers)


if __name__ == "__main__":
    uvloop.run(serve())
