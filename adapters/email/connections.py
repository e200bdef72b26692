"""The pool of SMTP connections: reused, bounded in number and in messages each."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

import aiosmtplib

from adapters.email.dialogue import Dialogue, Lost, Reply
from adapters.email.replies import Stage, outcome_of_loss, outcome_of_reply, queue_id
from relay.adapter import Outcome, Verdict

_LEADING_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
_QUIT: Final = 1.0  # seconds for a polite end


class Connection:
    """One connection: ``transactions`` counts its messages; ``usable`` is False once its state is not certain."""

    def __init__(self, client: aiosmtplib.SMTP, *, timeout: float) -> None:
        self.transactions = 0
        self.usable = True
        self._client = client
        self._dialogue: Dialogue | None = None
        self._pipelining = False
        self._timeout = timeout
        self._stage = Stage.MAIL
        self._dirty = False

    async def open(self) -> None:
        """Connect, upgrade and sign in with the library; what follows is ours.

        Raises:
            aiosmtplib.SMTPException, OSError, TimeoutError: it could not be made.
        """
        async with asyncio.timeout(self._timeout):
            await self._client.connect()
            if self._client.is_ehlo_or_helo_needed:
                await _greet(self._client)
        if self._client.transport is None:
            raise aiosmtplib.SMTPServerDisconnected("lost after the sign-in")
        self._pipelining = self._client.supports_extension("pipelining")
        self._dialogue = Dialogue(cast("asyncio.Transport", self._client.transport))

    @property
    def connected(self) -> bool:
        """Whether the other side has not closed it."""
        return self._dialogue is not None and self._dialogue.connected

    async def deliver(self, sender: str, recipient: str, message: bytes) -> Outcome:
        """Hand over one message within the time-out; both addresses are plain mailboxes.

        ``provider_ids`` holds the provider's queue id when it told one.
        """
        self._stage = Stage.MAIL
        self.transactions += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await self._transact(self._live(), sender, recipient, message)
        except (TimeoutError, Lost, OSError) as error:
            self.close()
            return outcome_of_loss(self._stage, timed_out=isinstance(error, TimeoutError))

    async def _transact(self, dialogue: Dialogue, sender: str, recipient: str, message: bytes) -> Outcome:
        commands = {
            Stage.MAIL: b"MAIL FROM:<%b>\r\n" % sender.encode("ascii"),
            Stage.RCPT: b"RCPT TO:<%b>\r\n" % recipient.encode("ascii"),
            Stage.DATA: b"DATA\r\n",
        }
        if self._dirty:
            dialogue.write(b"RSET\r\n", replies=1)
            await dialogue.reply()
        self._dirty = True
        if self._pipelining:
            dialogue.write(b"".join(commands.values()), replies=len(commands))
        for stage, command in commands.items():
            self._stage = stage
            if not self._pipelining:
                dialogue.write(command, replies=1)
            reply = await dialogue.reply()
            if reply.code != 354 if stage is Stage.DATA else reply.code not in {250, 251, 252}:
                refused = self._refused(stage, reply)
                await self._skip_the_rest(dialogue, stage)
                return refused
        # The first byte of the message may leave now: from here on a loss is a doubt.
        self._stage = Stage.MESSAGE
        stuffed = _LEADING_DOT.sub(b"..", message) if b"\n." in message or message.startswith(b".") else message
        dialogue.write(stuffed + b".\r\n", replies=1)
        reply = await dialogue.reply()
        if reply.code != 250:
            return self._refused(Stage.MESSAGE, reply)
        self._dirty = False
        found = queue_id(reply.words)
        return Outcome(verdict=Verdict.ACCEPTED, provider_ids=(found,) if found else ())

    async def _skip_the_rest(self, dialogue: Dialogue, stage: Stage) -> None:
        """Hear what the server says to the commands that left together with the one it refused at ``stage``."""
        left = {Stage.MAIL: 2, Stage.RCPT: 1}.get(stage, 0) if self._pipelining else 0
        try:
            for _ in range(left):
                if not self.usable:
                    return
                if (await dialogue.reply()).code == 354:
                    self.close()  # it waits for a message to nobody: there must not be any
        except Lost:
            self.close()

    def _refused(self, stage: Stage, reply: Reply) -> Outcome:
        if reply.code == 421 or not 400 <= reply.code < 600:
            self.close()
        return outcome_of_reply(stage, reply.code, reply.words)

    async def noop(self) -> int:
        """Return the code that the server answers NOOP with.

        Raises:
            OSError, TimeoutError: it does not answer; the connection is closed.
        """
        try:
            async with asyncio.timeout(self._timeout):
                dialogue = self._live()
                dialogue.write(b"NOOP\r\n", replies=1)
                return (await dialogue.reply()).code
        except (TimeoutError, Lost) as error:
            self.close()
            raise ConnectionResetError from error

    async def quit(self) -> None:
        """Say good-bye for a second at most, then close."""
        with suppress(TimeoutError, Lost, OSError):
            async with asyncio.timeout(_QUIT):
                dialogue = self._live()
                dialogue.write(b"QUIT\r\n", replies=1)
                await dialogue.reply()
        self.close()

    def close(self) -> None:
        """Let the connection go; what was under way has no answer."""
        self.usable = False
        if self._dialogue is not None:
            self._dialogue.close()
        self._client.close()

    def _live(self) -> Dialogue:
        if self._dialogue is None:
            raise Lost
        return self._dialogue


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
        if connection.usable and connection.connected and not worn_out:
            self._idle.append(connection)
        else:
            self._all.discard(connection)
            if connection.usable:
                await connection.quit()
        self._free.release()

    async def connect(self) -> Connection:
        """Return a new connection that is greeted, upgraded and signed in; see :meth:`take` for errors."""
        connection = Connection(self._client(), timeout=self._timeout)
        self._all.add(connection)
        try:
            await connection.open()
        except BaseException:
            self._all.discard(connection)
            connection.close()
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
            connection.close()
        self._all.clear()

    def _reuse(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.connected:
                return connection
            self._all.discard(connection)
            connection.close()
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
