"""A real webhook receiver on loopback: records what arrives, checks signatures by itself, answers as told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

import orjson
from aiohttp import web

_MAX_BODY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One POST that arrived; ``signature_ok`` is None where the receiver knows no secret for the path."""

    path: str
    webhook_id: str
    timestamp: str
    signature_ok: bool | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """``data.text`` of the JSON body; raises when the body is something else."""
        document = orjson.loads(self.body)
        return str(document["data"]["text"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a POST gets: after ``delay`` seconds an answer, or silence, or a cut connection."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    then: Literal["answer", "hang", "reset"] = "answer"


class WebhookReceiver:
    """An HTTP(S) server that lives in the caller's event loop: ``async with WebhookReceiver() as receiver``.

    ``secrets`` maps paths to signing secrets (``whsec_…``), with ``"*"`` for all others.  ``hooks`` keeps the last
    ``keep`` POSTs.  Set ``answer`` for all paths or ``answers[path]`` for one.  Hanging posts are let go at the end.
    """

    def __init__(
        self,
        *,
        secrets: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        keep: int = 100_000,
    ) -> None:
        self.secrets = dict(secrets or {})
        self.hooks: deque[Hook] = deque(maxlen=keep)
        self.answer = Answer()
        self.answers: dict[str, Answer] = {}
        self.connections = 0
        self.under_way = 0
        self.most_under_way = 0
        self._host, self.port, self._tls = host, port, tls
        self._ending = asyncio.Event()
        self._peers: set[object] = set()
        self._runner: web.AppRunner | None = None

    def url(self, path: str = "/") -> str:
        """Return the URL of ``path`` at this receiver."""
        scheme = "https" if self._tls is not None else "http"
        return f"{scheme}://{self._host}:{self.port}{path}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port, ssl_context=self._tls, backlog=1024)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop listening and cut all connections; harmless when it is stopped already."""
        self._ending.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.Request) -> web.Response:
        self._count(request.transport)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            body = await request.read()
            self.hooks.append(self._hook(request, body))
            return await self._answer(request, self.answers.get(request.path, self.answer))
        finally:
            self.under_way -= 1

    def _count(self, transport: object) -> None:
        if transport is not None and transport not in self._peers:
            self._peers.add(transport)
            self.connections += 1

    def _hook(self, request: web.Request, body: bytes) -> Hook:
        secret = self.secrets.get(request.path, self.secrets.get("*", ""))
        return Hook(
            path=request.path,
            webhook_id=request.headers.get("webhook-id", ""),
            timestamp=request.headers.get("webhook-timestamp", ""),
            signature_ok=is_signed(request.headers, body, secret=secret) if secret else None,
            headers=request.headers.copy(),
            body=body,
        )

    async def _answer(self, request: web.Request, answer: Answer) -> web.Response:
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.then == "hang":
            await self._ending.wait()
        if answer.then != "answer" and request.transport is not None:
            request.transport.abort()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def is_signed(headers: Mapping[str, str], body: bytes, *, secret: str) -> bool:
    """Return whether one of the ``v1`` signatures in ``headers`` is right for ``body`` (Standard Webhooks 1.0)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    stamped = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode()
    wanted = base64.b64encode(hmac.new(key, stamped + body, hashlib.sha256).digest()).decode("ascii")
    offered = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(value, wanted) for version, _, value in offered)
