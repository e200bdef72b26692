"""The fake mail provider: as much of SMTP (RFC 5321) as a sender of warnings needs, with a log of what it took."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from contextlib import suppress
from email import message_from_bytes, policy

from tests.chaos.log import Log
from tests.chaos.moods import Mood, Temper

_ADDRESS = re.compile(rb"<([^>]*)>")
_LONGEST = 60.0
_REFUSALS = {Mood.THROTTLE: b"451 4.7.1 slow down", Mood.FAILS: b"451 4.3.0 something is broken here"}


class SmtpSink:
    """Takes mail; the mood is felt after the final dot, where it hurts most."""

    def __init__(self, log: Log, temper: Temper) -> None:
        self.port = 0
        self._log, self._temper = log, temper
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 22)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Refuse connections and cut those that are open."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._talk(reader, writer)
        except (OSError, EOFError):
            pass  # the client went away, which is its right
        finally:
            self._open.discard(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        to: list[str] = []
        while line := await reader.readline():
            word = line[:4].upper().strip()
            if word == b"RCPT":
                found = _ADDRESS.search(line)
                to.append(found[1].decode() if found else "")
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                came = time.time()  # the mail's bytes leave after this
                if not await self._mail(await reader.readuntil(b"\r\n.\r\n"), to, came, writer):
                    return
                to = []
                continue
            if word in {b"RSET", b"MAIL"}:
                to = []
            writer.write(_reply(word))
            if word == b"QUIT":
                return

    async def _mail(self, raw: bytes, to: list[str], came: float, writer: asyncio.StreamWriter) -> bool:
        """Log one mail and answer it; False ends the connection."""
        mood = self._temper.pick()
        message = message_from_bytes(raw, policy=policy.default)
        part = message.get_body(("plain",))
        text = str(part.get_content()) if part is not None else ""
        delivery = str(message["Message-ID"]).strip("<>").partition("@")[0]
        for address in to:
            self._log.write(
                t=came,
                kind="email",
                to=address,
                delivery=delivery,
                took=mood not in _REFUSALS,
                mood=mood,
                body=hashlib.sha256(raw).hexdigest()[:16],
                text=f"{message['Subject']}\n{text}",
            )
        if mood is Mood.SLOW:
            await asyncio.sleep(self._temper.seconds)
        if mood is Mood.HANG:
            await asyncio.sleep(_LONGEST)
        if mood in {Mood.HANG, Mood.RESET}:
            writer.transport.abort()
            return False
        writer.write(_REFUSALS.get(mood, b"250 2.0.0 OK") + b"\r\n")
        return True


def _reply(word: bytes) -> bytes:
    if word == b"EHLO":
        return b"250-mail.example\r\n250-8BITMIME\r\n250 PIPELINING\r\n"
    return b"221 bye\r\n" if word == b"QUIT" else b"250 OK\r\n"
