"""The receiving side of the webhook adapter's tests."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import structlog
from structlog.testing import LogCapture

from adapters.webhook.webhook import Webhook, WebhookSettings
from relay.adapter import Item, Kind, Outcome, Services, Verdict
from relay.directory.egress import Guard
from relay.testing.items import make_item
from relay.testing.provider import Provider, Trouble
from relay.testing.webhooks import Answer, WebhookReceiver

SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes....").decode()
ANSWERS = {
    Trouble.REFUSES: Answer(status=422),
    Trouble.HANGS: Answer(then="hang"),
    Trouble.RESETS: Answer(then="reset"),
    Trouble.SLOW_DOWN: Answer(status=429, headers={"Retry-After": "7"}),
}


class Receivers(Provider):
    """One receiver; each address is another path of it."""

    secret = SECRET

    def __init__(self, receiver: WebhookReceiver) -> None:
        self.receiver = receiver
        self.settings = {"timeout": 1.0, "start_within": 5.0}
        self.guard = Guard([f"127.0.0.1:{receiver.port}"])

    def address(self, number: int) -> str:
        return self.receiver.url(f"/hook/{number}")

    def texts(self) -> Sequence[str]:
        return [hook.text for hook in self.receiver.hooks if hook.signature_ok]

    async def make(self, trouble: Trouble, *, only: str = "") -> None:
        if trouble is Trouble.DOWN:
            await self.receiver.stop()
        elif only:
            self.receiver.answers["/hook/" + only.rpartition("/")[2]] = ANSWERS[trouble]
        else:
            self.receiver.answer = ANSWERS[trouble]


@asynccontextmanager
async def webhook(*allow: str, guard: object = None, **settings: object) -> AsyncIterator[Webhook]:
    """Open a webhook adapter that may reach the targets ``allow``."""
    log = structlog.wrap_logger(None, processors=[LogCapture()])
    egress = guard if isinstance(guard, Guard) else Guard(allow)
    adapter = Webhook(WebhookSettings.model_validate(settings), Services(channel="webhook", log=log, egress=egress))
    await adapter.open()
    try:
        yield adapter
    finally:
        await adapter.close(deadline=1.0)


def hook(address: str, number: int = 0, **changes: object) -> Item:
    """Return a delivery to ``address``."""
    item = make_item(number, kind=Kind.WEBHOOK, address=address, secret=SECRET)
    return replace(item, **changes)  # type: ignore[arg-type]


async def post(receiver: WebhookReceiver, *items: Item, **settings: object) -> Sequence[Outcome]:
    """Send ``items`` with an adapter that may reach ``receiver``."""
    async with webhook(f"127.0.0.1:{receiver.port}", **settings) as adapter:
        return await adapter.send(items)


NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Rough:
    """A server that does with each connection what ``serve`` says; ``posts`` are the requests it read."""

    serve: Serve
    port: int = 0
    connections: int = 0
    posts: list[bytes] = field(default_factory=list)
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, path: str = "/a") -> str:
        """Return the URL of ``path``."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        self.open.add(writer)
        try:
            await self.serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def read_post(reader: asyncio.StreamReader) -> bytes:
    """Return one whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return head + await reader.readexactly(length)


@asynccontextmanager
async def rough(serve: Serve, *, host: str = "127.0.0.1") -> AsyncIterator[Rough]:
    """Run a server that does what ``serve`` says."""
    running = Rough(serve)
    server = await asyncio.start_server(running.connected, host, 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for writer in running.open:
            writer.transport.abort()
        await server.wait_closed()


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[Rough]:
    """Run a server that answers the posts of each connection with ``answers``, and closes after the last."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            server.posts.append(await read_post(reader))
            writer.write(answer)

    async with rough(serve) as server:
        yield server


def said(outcomes: Sequence[Outcome]) -> list[tuple[Verdict, str]]:
    """Return verdicts and reasons."""
    return [(outcome.verdict, outcome.reason) for outcome in outcomes]


async def one_by_one(adapter: Webhook, server: Rough, count: int) -> list[tuple[Verdict, str]]:
    """Post ``count`` times, each after the other has its outcome."""
    return [said(await adapter.send([hook(server.url(), number)]))[0] for number in range(count)]
