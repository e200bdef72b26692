"""What stands for people's own systems: a webhook receiver and a mailbox, with faults on demand.

Signatures are checked with the public Standard Webhooks library.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from time import monotonic

import orjson
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.acceptance.black_box_alerts import Document
from tests.acceptance.relay_side import free_port

SECRET = "whsec_" + "YW4gb3V0c2lkZSBqdWRnZSdzIHNlY3JldCAwMQ=="


@dataclass(frozen=True, slots=True)
class Call:
    """One webhook as it arrived: ``signed`` by the public library's judgement."""

    who: str
    at: float
    id: str
    data: Document
    signed: bool
    raw: bytes


@dataclass(slots=True)
class Hooks:
    """A webhook receiver on loopback: one path per recipient; ``plan`` maps a name to what it answers, in turn."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    plan: dict[str, list[int | float | str]] = field(default_factory=dict)
    waits: float = 0.0

    def to(self, name: str, host: str = "127.0.0.1") -> Document:
        """Return the address of recipient ``name``."""
        return {"kind": "webhook", "value": f"http://{host}:{self.port}/hook/{name}", "secret": SECRET}

    def who(self, marker: str = "") -> Counter[str]:
        """Return how often each was called, or only with a headline that starts with ``marker``."""
        return Counter(call.who for call in self.calls if str(call.data.get("headline", "")).startswith(marker))

    def of(self, name: str) -> list[Call]:
        """Return the calls of one recipient."""
        return [call for call in self.calls if call.who == name]

    async def answer(self, request: web.Request) -> web.Response:
        """Note the call and answer as planned: a status, ``"503 Retry-After"``, or a pause in seconds as a float."""
        raw, name = await request.read(), request.match_info["name"]
        signed = True
        try:
            Webhook(SECRET).verify(raw, dict(request.headers))
        except WebhookVerificationError:
            signed = False
        except ValueError:
            signed = b"<alert" in raw  # the library reads what it has verified as JSON, which CAP is not
        body = orjson.loads(raw) if raw.startswith(b"{") else {}
        self.calls.append(
            Call(name, monotonic(), request.headers["webhook-id"], body.get("data", {}), signed=signed, raw=raw)
        )
        if self.waits:
            await asyncio.sleep(self.waits)
        steps = self.plan.get(name) or [200]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, float):
            await asyncio.sleep(step)
            step = 200
        status, _, after = str(step).partition(" ")
        return web.Response(status=int(status), headers={"Retry-After": after} if after else {})


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Hooks]:
    """Listen for webhooks until the end of the block."""
    hooks = Hooks(free_port())
    app = web.Application()
    app.router.add_post("/hook/{name}", hooks.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", hooks.port).start()
    try:
        yield hooks
    finally:
        await runner.cleanup()


@dataclass  # no slots: aiosmtpd inspects its handler, and Python 3.11.2 stumbles over __weakref__ there
class Mailbox:
    """An SMTP server on loopback: ``plan`` maps an address to the replies that it gets, in turn."""

    port: int = 0
    mails: dict[str, list[bytes]] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)
    plan: dict[str, list[str]] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer one RCPT TO as planned."""
        del server, session, options
        self.tried[address] += 1
        steps = self.plan.get(address) or ["250 OK"]
        reply = steps.pop(0) if len(steps) > 1 else steps[0]
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep a mail for each of its recipients."""
        del server, session
        content = envelope.content
        assert isinstance(content, bytes)
        for address in envelope.rcpt_tos:
            self.mails.setdefault(address, []).append(content)
        return "250 OK"


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Listen for mail until the end of the block."""
    box = Mailbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
