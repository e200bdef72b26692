"""A real SMTP server on loopback: keeps and decodes what arrives, answers as told.  Needs the extra ``demo``."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

Then = Literal["answer", "hang", "reset"]


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message that was accepted; ``raw`` is what came over the wire, without the dots."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    hello: str
    tls: bool
    user: str

    @cached_property
    def message(self) -> EmailMessage:
        """The parsed message."""
        parsed = message_from_bytes(self.raw, policy=policy.default)
        if not isinstance(parsed, EmailMessage):
            raise TypeError("not a message")
        return parsed

    @property
    def text(self) -> str:
        """The plain text, decoded, with LF line ends and without the final one."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML text, decoded; empty when there is none."""
        return self._body("html")

    def _body(self, kind: Literal["plain", "html"]) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n") if part is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server says: ``line`` at ``stage``, or silence, or a cut connection."""

    line: str = "250 2.0.0 OK"
    stage: Literal["ehlo", "mail", "rcpt", "message"] = "message"
    then: Then = "answer"


class SmtpReceiver:
    """An SMTP server in the caller's event loop: ``async with SmtpReceiver() as receiver``.

    ``tls`` with ``mode`` STARTTLS (demanded before mail) or implicit.  With ``login`` mail is taken only after AUTH.
    With ``pipelining`` it says that commands may come together; without, it is an older server.
    ``reply`` is for every recipient, ``replies[address]`` for one, None means that mail
    is taken.  ``mails`` keeps the last ``keep`` messages.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        mode: Literal["none", "starttls", "implicit"] = "none",
        login: tuple[str, str] | None = None,
        pipelining: bool = True,
        keep: int = 100_000,
    ) -> None:
        self.pipelining = pipelining
        self.mails: deque[Mail] = deque(maxlen=keep)
        self.reply: Reply | None = None
        self.replies: dict[str, Reply] = {}
        self.connections = 0
        self.host, self.port = host, port
        self.login, self.mode = login, mode
        self._tls = tls
        self._ending = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[SMTP] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        implicit = self._tls if self.mode == "implicit" else None
        self._server = await loop.create_server(lambda: self._connection(loop), self.host, self.port, ssl=implicit)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop listening and cut all connections; harmless when it is stopped already."""
        self._ending.set()
        if self._server is None:
            return
        self._server.close()
        self.drop_connections()
        await asyncio.sleep(0)  # the transports' last callbacks
        await asyncio.sleep(0)
        self._server = None

    def drop_connections(self) -> None:
        """Cut all connections, as a server does with idle ones."""
        for connection in self._open:
            if connection.transport is not None:
                connection.transport.close()
        self._open.clear()

    def _connection(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        from aiosmtpd.smtp import SMTP

        self.connections += 1
        connection = SMTP(
            _Handler(self),
            hostname="receiver.example",
            tls_context=self._tls if self.mode == "starttls" else None,
            require_starttls=self.mode == "starttls",
            auth_require_tls=self.mode == "starttls",
            authenticator=_Login(self.login),
            timeout=30,
            loop=loop,
        )
        self._open.add(connection)
        return connection

    async def answer(self, server: SMTP, stage: str, address: str = "") -> str | None:
        """Return the line that is programmed for ``stage``, or None; hang or cut the connection when told to."""
        reply = self.replies.get(address) or self.reply
        if reply is None or reply.stage != stage:
            return None
        if reply.then == "hang":
            await self._ending.wait()
        if reply.then == "reset" and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]
        return reply.line


class _Login:
    """Checks name and password; see ``authenticator`` of aiosmtpd."""

    def __init__(self, login: tuple[str, str] | None) -> None:
        self._login = login

    def __call__(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:  # noqa: ANN401 — the shape is aiosmtpd's
        from aiosmtpd.smtp import AuthResult

        given = (bytes(data.login).decode(), bytes(data.password).decode())
        return AuthResult(success=given == self._login, handled=False, auth_data=given[0])


class _Handler:
    """The hooks of aiosmtpd, by its names."""

    def __init__(self, receiver: SmtpReceiver) -> None:
        self._receiver = receiver

    async def handle_EHLO(  # noqa: N802 — as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet."""
        session.host_name = hostname
        refusal = await self._receiver.answer(server, "ehlo")
        if self._receiver.pipelining:
            responses.insert(1, "250-PIPELINING")
        return [refusal] if refusal is not None else responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender, after AUTH where it is demanded."""
        if self._receiver.login is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        refusal = await self._receiver.answer(server, "mail")
        if refusal is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient or refuse it."""
        refusal = await self._receiver.answer(server, "rcpt", address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return refusal or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message, unless it is refused."""
        line = await self._receiver.answer(server, "message", envelope.rcpt_tos[0])
        if line is not None and not line.startswith("2"):
            return line
        self._receiver.mails.append(_mail(session, envelope, tls=self._receiver.mode == "implicit"))
        return line or f"250 2.0.0 OK: queued as R{len(self._receiver.mails):06d}"


def _mail(session: Session, envelope: Envelope, *, tls: bool) -> Mail:
    return Mail(
        sender=str(envelope.mail_from),
        recipients=tuple(str(address) for address in envelope.rcpt_tos),
        raw=bytes(envelope.original_content or b""),
        hello=str(session.host_name),
        tls=tls or session.ssl is not None,
        user=str(session.auth_data) if session.authenticated else "",
    )
