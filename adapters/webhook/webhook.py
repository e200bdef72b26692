"""One signed HTTP POST per delivery to the recipient's own system (Standard Webhooks 1.0)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from pydantic import BaseModel, Field

from adapters.webhook.deadlines import Deadlines
from adapters.webhook.dial import Dialer, tls_context
from adapters.webhook.hosts import Host, Hosts
from adapters.webhook.posting import Line, Message, Posting
from adapters.webhook.request import Origin, headers_of, origin_of, split
from adapters.webhook.signature import keys_of
from relay.adapter import Batch, Descriptor, Item, Kind, Outcome, Scope, Services, Verdict
from relay.errors import InvalidInput, ProviderDown

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

_MEDIA = {"json": "application/json", "cap": "application/cap+xml"}


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


class Webhook:
    """Posts to recipients' own systems over kept connections; follows no redirect, uses no proxy, keeps no cookie."""

    descriptor: ClassVar[Descriptor] = Descriptor(
        name="webhook", kind=Kind.WEBHOOK, settings=WebhookSettings, idempotent=True, max_batch=64, max_in_flight=512
    )

    def __init__(self, settings: BaseModel, services: Services) -> None:
        self._settings = cast("WebhookSettings", settings)
        self._services = services
        self._log = cast("BoundLogger", services.log)
        self._origin = lru_cache(maxsize=4096)(origin_of)
        self._line: Line | None = None
        self._postings: set[Posting] = set()
        self._idle = asyncio.Event()

    async def open(self) -> None:
        """Make ready; connections are made when there is something to post."""
        if self._line is not None:
            return
        settings = self._settings
        context = await asyncio.to_thread(tls_context, settings.ca_file)
        self._line = Line(
            hosts=Hosts(settings.per_host),
            dialer=Dialer(self._services.egress, tls=context, patience=settings.timeout / 2),
            deadlines=Deadlines(settings.timeout),
            clock=self._services.clock,
            most=settings.max_response,
        )

    async def close(self, *, deadline: float) -> None:
        """Wait ``deadline`` seconds for what is in flight, then cut it off; it ends as unknown."""
        line, self._line = self._line, None
        if line is None:
            return
        try:
            async with asyncio.timeout(deadline):
                while self._postings:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            self._log.warning("webhook_close_cuts_off", sends=len(self._postings))
            for posting in list(self._postings):
                posting.cut_off()
        line.deadlines.close()
        line.hosts.close()

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Post each item; to one host at most ``per_host`` at a time, the rest is throttled with ``host_busy``.

        Raises:
            ProviderDown: the adapter is closed.
        """
        return await self.stream(batch, _nobody)

    async def stream(self, batch: Batch, heard: Callable[[Outcome], None]) -> Sequence[Outcome]:
        """Do as :meth:`send` does and tell each outcome at once (:class:`relay.adapter.Streams`)."""
        if self._line is None:
            raise ProviderDown("adapter_closed")
        now = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            posting = Posting(self._line, len(batch), tasks, heard, by=now + self._settings.start_within)
            self._postings.add(posting)
            try:
                for index, item in enumerate(batch):
                    self._add(posting, index, item, now=now)
                await posting.finish()
            finally:
                self._postings.discard(posting)
                self._idle.set()
        return posting.outcomes

    def _add(self, posting: Posting, index: int, item: Item, *, now: float) -> None:
        """Post ``item``, or note why it cannot be posted."""
        body = item.body if self._settings.format == "json" else item.content.cap
        if not body:
            posting.refuse(index, Outcome(verdict=Verdict.REJECTED, reason="nothing_to_post", scope=Scope.MESSAGE))
            return
        try:
            host, path = self._where(posting.line.hosts, item.address)
        except InvalidInput as error:
            posting.refuse(index, Outcome(verdict=Verdict.REJECTED, reason=error.slug.replace("-", "_")))
            return
        try:
            keys = keys_of(item.secret) if item.secret else ()
        except ValueError:
            posting.refuse(index, Outcome(verdict=Verdict.REJECTED, reason="bad_secret"))
            return
        message = Message(path=path, message_id=item.delivery_id.encode(), keys=keys, body=body)
        posting.add(index, message, host, now=now)

    def _where(self, hosts: Hosts, address: str) -> tuple[Host, bytes]:
        """Return the host that ``address`` leads to and the path there; raise InvalidInput if it may not be asked."""
        self._services.egress.check_url(address)
        authority, path = split(address)
        host = hosts.find(authority)
        if host is None:
            origin = self._origin(authority)
            host = hosts.find(origin.name) or hosts.add(origin, headers=self._headers(origin))
        return host, path

    def _headers(self, origin: Origin) -> bytes:
        media = _MEDIA[self._settings.format]
        return headers_of(origin, media=media, user_agent=self._services.user_agent)


def _nobody(_: Outcome) -> None:
    """Hear outcomes that are only wanted together."""
