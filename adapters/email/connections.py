"""The pool of SMTP connections: reused, bounded in number and in messages each."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import aiosmtplib

from adapters.email.replies import Stage, outcome_of_loss, outcome_of_reply, queue_id
from relay.adapter import Outcome, Verdict

_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_LOST: Final = (aiosmtplib.SMTPException, OSError)  # cut, or answered by something that is no SMTP reply
_QUIT: Final = 1.0  # seconds for a polite end


class Connection:
    """One connection: ``transactions`` counts its messages; ``usable`` is False once its state is not certain."""

    def __init__(self, client: aiosmtplib.SMTP, *, timeout: float) -> None:
        self.client = client
        self.transactions = 0
        self.usable = True
        self._timeout = timeout
        self._stage = Stage.MAIL
        self._dirty = False

    async def deliver(self, sender: str, recipient: str, message: bytes) -> Outcome:
        """Hand over one message within the time-out; both addresses are plain mailboxes.

        ``provider_ids`` holds the provider's queue id when it told one.
        """
        self._stage = Stage.MAIL
        self.transactions += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await self._transact(sender, recipient, message)
        except (TimeoutError, *_LOST) as error:
            self.usable = False
            self.client.close()
            return outcome_of_loss(self._stage, timed_out=isinstance(error, TimeoutError))

    async def _transact(self, sender: str, recipient: str, message: bytes) -> Outcome:
        if self._dirty:
            await self.client.execute_command(b"RSET", timeout=None)
        self._dirty = True
        commands = (
            (Stage.MAIL, b"MAIL", b"FROM:<" + sender.encode("ascii") + b">"),
            (Stage.RCPT, b"RCPT", b"TO:<" + recipient.encode("ascii") + b">"),
            (Stage.DATA, b"DATA"),
        )
        for stage, *command in commands:
            self._stage = stage
            reply = await self.client.execute_command(*command, timeout=None)
            if reply.code != 354 if stage is Stage.DATA else reply.code not in {250, 251, 252}:
                return self._refused(stage, reply)
        reply = await self._write(message)
        if reply.code != 250:
            return self._refused(Stage.MESSAGE, reply)
        self._dirty = False
        found = queue_id(reply.message)
        return Outcome(verdict=Verdict.ACCEPTED, provider_ids=(found,) if found else ())

    async def _write(self, message: bytes) -> aiosmtplib.SMTPResponse:
        """Write the message, stuffed and ended by a dot, and return the answer.

        Not ``client.data``: that is DATA and message in one call, and a connection that is lost before 354 (nothing
        left) could not be told from one that is lost after the dot (in doubt).
        """
        protocol = self.client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("lost after 354")
        self._stage = Stage.MESSAGE
        stuffed = _LEADING_DOT.sub(b"..", message) if b"\n." in message or message.startswith(b".") else message
        protocol.write(stuffed + b".\r\n")
        return await protocol.read_response()

    def _refused(self, stage: Stage, reply: aiosmtplib.SMTPResponse) -> Outcome:
        if reply.code == 421 or not 400 <= reply.code < 600:
            self.usable = False
            self.client.close()
        return outcome_of_reply(stage, reply.code, reply.message)

    async def quit(self) -> None:
        """Say good-bye for a second at most, then close."""
        self.usable = False
        with suppress(TimeoutError, aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(_QUIT):
                await self.client.quit(timeout=None)
        self.client.close()


class Pool:
    """Up to ``size`` connections made by ``client`` and kept for ``messages`` messages each."""

    def __init__(self, client: Callable[[], aiosmtplib.SMTP], *, size: int, messages: int, timeout: float) -> None:
        self._client = client
        self._messages = messages
        self._timeout = timeout
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._closed = False

    async def take(self, *, by: float) -> Connection | None:
        """Return a connection, waiting for one until the loop's time ``by``; None when none came free.

        Raises:
            aiosmtplib.SMTPException, OSError, TimeoutError: a new connection could not be made.
        """
        try:
            async with asyncio.timeout_at(by):
                await self._free.acquire()
        except TimeoutError:
            return None
        try:
            return self._reuse() or await self.connect()
        except BaseException:
            self._free.release()
            raise

    async def give(self, connection: Connection) -> None:
        """Give a connection back; it is closed when it is worn out or not usable."""
        worn_out = self._closed or connection.transactions >= self._messages
        if connection.usable and connection.client.is_connected and not worn_out:
            self._idle.append(connection)
        else:
            self._all.discard(connection)
            if connection.usable:
                await connection.quit()
        self._free.release()

    async def connect(self) -> Connection:
        """Return a new connection that is greeted, upgraded and signed in; see :meth:`take` for errors."""
        client = self._client()
        connection = Connection(client, timeout=self._timeout)
        self._all.add(connection)
        try:
            async with asyncio.timeout(self._timeout):
                await client.connect()
                if client.is_ehlo_or_helo_needed:
                    await _greet(client)
        except BaseException:
            self._all.discard(connection)
            client.close()
            raise
        return connection

    async def close(self) -> None:
        """End idle connections politely and cut the others."""
        self._closed = True
        idle, self._idle = self._idle, []
        async with asyncio.TaskGroup() as tasks:
            for connection in idle:
                tasks.create_task(connection.quit(), name="smtp quit")
        for connection in self._all:
            connection.client.close()
        self._all.clear()

    def _reuse(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.client.is_connected:
                return connection
            self._all.discard(connection)
        return None


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Return a context that verifies the provider, TLS 1.2 or newer; ``ca_file`` adds a private authority."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
