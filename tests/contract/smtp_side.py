"""The receiving side of the smtp adapter's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from structlog.testing import LogCapture

from adapters.email.smtp import Smtp, SmtpSettings
from relay.adapter import Item, Kind, Outcome, Services
from relay.directory.egress import Guard
from relay.testing.clocks import FakeClock
from relay.testing.items import make_item
from relay.testing.provider import Provider, Trouble
from relay.testing.smtp import Reply, SmtpReceiver

SENDER = "Alerts <alerts@meteo.example>"
REPLIES = {
    Trouble.REFUSES: Reply(stage="rcpt", line="550 5.1.1 <duty0@rescue.example>: no such user"),
    Trouble.HANGS: Reply(then="hang"),
    Trouble.RESETS: Reply(then="reset"),
    Trouble.SLOW_DOWN: Reply(stage="rcpt", line="451 4.7.1 <duty0@rescue.example>: come later"),
}


class Server(Provider):
    """A submission server that demands a password."""

    private = ("correct-horse",)
    loggers = ("mail.log", "mail.debug", "mail.error", "asyncio")

    def __init__(self, receiver: SmtpReceiver) -> None:
        self.receiver = receiver
        self.settings = settings_for(receiver, username="relay", password="correct-horse", timeout=1.0)

    def address(self, number: int) -> str:
        return f"duty{number}@rescue.example"

    def texts(self) -> Sequence[str]:
        return [mail.text for mail in self.receiver.mails]

    async def make(self, trouble: Trouble, *, only: str = "") -> None:
        if trouble is Trouble.DOWN:
            await self.receiver.stop()
        elif only:
            self.receiver.replies[only] = REPLIES[trouble]
        else:
            self.receiver.reply = REPLIES[trouble]


def settings_for(receiver: SmtpReceiver, **changes: object) -> dict[str, object]:
    """Return the channel's settings for ``receiver``."""
    return {"host": "127.0.0.1", "port": receiver.port, "tls": "none", "sender": SENDER, **changes}


@asynccontextmanager
async def smtp(receiver: SmtpReceiver, **changes: object) -> AsyncIterator[Smtp]:
    """Open an smtp adapter on ``receiver``."""
    log = structlog.wrap_logger(None, processors=[LogCapture()])
    services = Services(channel="mail", log=log, egress=Guard(), public_host="relay.example", clock=FakeClock())
    adapter = Smtp(SmtpSettings.model_validate(settings_for(receiver, timeout=2.0) | changes), services)
    await adapter.open()
    try:
        yield adapter
    finally:
        await adapter.close(deadline=1.0)


def mail(number: int = 0, **changes: object) -> Item:
    """Return the ``number``-th delivery."""
    return replace(make_item(number, kind=Kind.EMAIL), **changes)  # type: ignore[arg-type]


async def send(receiver: SmtpReceiver, *items: Item, **changes: object) -> Sequence[Outcome]:
    """Send ``items`` to ``receiver``."""
    async with smtp(receiver, **changes) as adapter:
        return await adapter.send(items)
