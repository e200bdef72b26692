"""The receiving side of the webhook adapter's tests."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from structlog.testing import LogCapture

from adapters.webhook.webhook import Webhook, WebhookSettings
from relay.adapter import Item, Kind, Outcome, Services
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
