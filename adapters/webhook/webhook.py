"""One signed HTTP POST per delivery to the recipient's own system (Standard Webhooks 1.0)."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.payload import BytesPayload
from pydantic import BaseModel, Field
from yarl import URL

from adapters.http import outcome_of, outcome_of_error
from adapters.webhook.hosts import Host, Hosts
from adapters.webhook.signature import sign
from relay.adapter import Batch, ChecksNames, Descriptor, Item, Kind, Outcome, Scope, Services, Verdict
from relay.errors import InvalidInput, ProviderDown

if TYPE_CHECKING:
    from aiohappyeyeballs import SocketFactoryType
    from structlog.stdlib import BoundLogger

_MEDIA = {"json": "application/json", "cap": "application/cap+xml"}
_DELIVERED = Outcome(verdict=Verdict.DELIVERED)
_HOST_BUSY = Outcome(verdict=Verdict.THROTTLED, reason="host_busy")
_LARGE = 1024 * 1024  # aiohttp wants larger bodies as a file, which it sends in pieces
_READ = 64 * 1024


class WebhookSettings(BaseModel, frozen=True, extra="forbid"):
    """What an operator writes under ``[channels.<name>.settings]``.

    ``timeout`` is for a whole post, in seconds (half of it for the connection); ``format`` is what is posted: the
    relay's JSON or the agency's CAP; ``per_host`` how many posts one host gets at a time, and ``start_within`` how
    many seconds a post waits for its turn; ``max_response`` how many bytes of an answer are read; ``ca_file`` adds
    a private certificate authority.
    """

    timeout: float = Field(10.0, gt=0, le=60)
    format: Literal["json", "cap"] = "json"
    per_host: int = Field(8, ge=1, le=256)
    start_within: float = Field(0.25, gt=0, le=30)
    max_response: int = Field(64 * 1024, ge=0, le=1024 * 1024)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    """A recipient's URL, judged once: ``refused`` says why nothing may be posted to it."""

    url: URL
    host: str
    refused: Outcome | None = None


class Webhook:
    """Posts to recipients' own systems over pooled connections; follows no redirect, uses no proxy, keeps no cookie."""

    descriptor: ClassVar[Descriptor] = Descriptor(
        name="webhook", kind=Kind.WEBHOOK, settings=WebhookSettings, idempotent=True, max_batch=64, max_in_flight=512
    )

    def __init__(self, settings: BaseModel, services: Services) -> None:
        self._settings = cast("WebhookSettings", settings)
        self._services = services
        self._log = cast("BoundLogger", services.log)
        self._media = _MEDIA[self._settings.format]
        self._session: aiohttp.ClientSession | None = None
        self._hosts = Hosts(self._settings.per_host)
        self._target = lru_cache(maxsize=8192)(self._judge)
        self._sends = 0
        self._idle = asyncio.Event()

    async def open(self) -> None:
        """Make the pool; connections are made when there is something to post."""
        if self._session is not None:
            return
        context = await asyncio.to_thread(_tls, self._settings.ca_file)
        egress = self._services.egress
        resolver = _Resolver(egress) if isinstance(egress, ChecksNames) else None
        connector = aiohttp.TCPConnector(
            ssl=context,
            limit=0,  # the core's max_in_flight and ``per_host`` bound it; waiting here would count as connecting
            resolver=resolver,
            socket_factory=cast("SocketFactoryType", egress.socket_factory),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout, connect=self._settings.timeout / 2),
            headers={
                "Content-Type": self._media,
                "User-Agent": self._services.user_agent,
                "Accept-Encoding": "identity",
            },
        )

    async def close(self, *, deadline: float) -> None:
        """Wait ``deadline`` seconds for what is in flight, then cut it off; it ends as unknown."""
        session, self._session = self._session, None
        if session is None:
            return
        try:
            async with asyncio.timeout(deadline):
                while self._sends:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            self._log.warning("webhook_close_cuts_off", sends=self._sends)
        await session.close()

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Post each item; to one host at most ``per_host`` at a time, the rest is throttled with ``host_busy``.

        Raises:
            ProviderDown: the adapter is closed.
        """
        if self._session is None:
            raise ProviderDown("adapter_closed")
        post = _Posting(self._session, batch, [_HOST_BUSY] * len(batch))
        queues: dict[str, deque[tuple[int, URL]]] = {}
        for index, item in enumerate(batch):
            target = self._target(item.address)
            if target.refused is not None:
                post.outcomes[index] = target.refused
            else:
                queues.setdefault(target.host, deque()).append((index, target.url))
        by = asyncio.get_running_loop().time() + self._settings.start_within
        self._sends += 1
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, queue in queues.items():
                    host = self._hosts.get(name)
                    for _ in range(min(len(queue), self._settings.per_host)):
                        tasks.create_task(self._lane(post, queue, host, by=by), name=f"webhook lane {name}")
        finally:
            self._sends -= 1
            self._idle.set()
        return post.outcomes

    async def _lane(self, post: _Posting, queue: deque[tuple[int, URL]], host: Host, *, by: float) -> None:
        """Post one item after the other to ``host``; what cannot start in time stays ``host_busy``."""
        while queue and (host.try_enter(by=by) or await host.enter(by=by)):
            try:
                if queue:  # another lane may have taken the last one while this one waited
                    index, url = queue.popleft()
                    post.outcomes[index] = await self._post(post.session, post.batch[index], url, host)
            finally:
                host.leave()

    async def _post(self, session: aiohttp.ClientSession, item: Item, url: URL, host: Host) -> Outcome:
        body = item.body if self._settings.format == "json" else item.content.cap
        if not body:
            return Outcome(verdict=Verdict.REJECTED, reason="nothing_to_post", scope=Scope.MESSAGE)
        try:
            headers = self._headers(item, body)
        except ValueError:
            return Outcome(verdict=Verdict.REJECTED, reason="bad_secret")
        # A payload of its own saves aiohttp the search for the class that fits bytes.
        data = BytesPayload(body, content_type=self._media) if len(body) <= _LARGE else io.BytesIO(body)
        try:
            async with session.post(url, data=data, headers=headers, allow_redirects=False) as response:
                status = response.status
                keep = self._hosts.keeps_connection(host)
                if not (keep and response.content.at_eof()):
                    await self._drop_body(response, keep=keep)
                if status in {200, 202, 204}:
                    return _DELIVERED
                now = self._services.clock.now()
                return outcome_of(status, response.headers, now=now, success=Verdict.DELIVERED)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return outcome_of_error(error)

    def _headers(self, item: Item, body: bytes) -> dict[str, str]:
        """Return the headers of Standard Webhooks; a recipient without a secret gets no signature."""
        timestamp = str(int(self._services.clock.time()))
        headers = {"webhook-id": item.delivery_id, "webhook-timestamp": timestamp}
        if item.secret:
            headers["webhook-signature"] = sign(
                item.secret, message_id=item.delivery_id, timestamp=timestamp, body=body
            )
        return headers

    async def _drop_body(self, response: aiohttp.ClientResponse, *, keep: bool) -> None:
        """Read the answer's body as far as ``max_response``, so that the connection can be used again."""
        left = self._settings.max_response if keep else 0
        try:
            while not response.content.at_eof():
                if left <= 0:
                    response.close()
                    return
                left -= len(await response.content.read(min(left, _READ)))
        except (aiohttp.ClientError, TimeoutError, OSError):
            response.close()  # the status has been heard; what follows it changes nothing
        if not keep:
            response.close()

    def _judge(self, address: str) -> _Target:
        try:
            self._services.egress.check_url(address)
            url = URL(address)
        except InvalidInput as error:
            refused = Outcome(verdict=Verdict.REJECTED, reason=error.slug.replace("-", "_"))
            return _Target(URL(), "", refused)
        return _Target(url, f"{url.raw_host}:{url.port}")


@dataclass(frozen=True, slots=True)
class _Posting:
    """One call of ``send``: its session, its items and their outcomes so far."""

    session: aiohttp.ClientSession
    batch: Batch
    outcomes: list[Outcome]


class _Resolver(AbstractResolver):
    """The system's resolver; the guard sees all addresses of a name before any of them is dialled."""

    def __init__(self, guard: ChecksNames) -> None:
        self._guard = guard
        self._resolver = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``; raise BlockedTarget when one is blocked."""
        found = await self._resolver.resolve(host, port, family)
        self._guard.check_addresses(host, port, [result["host"] for result in found])
        return found

    async def close(self) -> None:
        """Let the system's resolver go."""
        await self._resolver.close()


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context
