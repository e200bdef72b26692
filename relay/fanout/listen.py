"""Listen: receipts and replies from the channels that hear them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog

from relay.adapter import Event, Inbound, Listens, Receipt
from relay.errors import StoreUnavailable
from relay.fanout.channels import OpenChannel
from relay.tracking.receipts import Receipts

log = structlog.get_logger()


class Listener:
    """One channel's events, applied one after the other; Redis may be away, the event waits."""

    def __init__(self, channel: OpenChannel, receipts: Receipts) -> None:
        self._channel = channel
        self._receipts = receipts

    async def run(self, stopping: asyncio.Event) -> None:
        """Apply events until the adapter is closed or ``stopping``."""
        adapter = self._channel.adapter
        if not isinstance(adapter, Listens):
            return
        events = aiter(adapter.events())
        while not stopping.is_set():
            event = await _next(events, stopping)
            if event is None:
                return
            await self._surely(event, stopping)

    async def _surely(self, event: Receipt | Inbound, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                await self._apply(event)
            except StoreUnavailable:
                await asyncio.sleep(0.2)
                continue
            return

    async def _apply(self, event: Receipt | Inbound) -> None:
        match event:
            case Receipt():
                known = await self._receipts.receive(self._channel.name, event)
                if not known:
                    log.debug("receipt_early", channel=self._channel.name)
            case Inbound():
                known = await self._receipts.answer(event.sender, event.text)
                log.info("reply", channel=self._channel.name, acknowledged=known)


async def _next(events: AsyncIterator[Event], stopping: asyncio.Event) -> Event | None:
    """Return the next event, or None when there will be none or ``stopping`` is set while none is there."""
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_first_of(events))
        told = tasks.create_task(stopping.wait())
        await asyncio.wait((waiting, told), return_when=asyncio.FIRST_COMPLETED)
        # Cancelled only while it waits: an event that was handed to us is never dropped.
        waiting.cancel()
        told.cancel()
    return waiting.result() if not waiting.cancelled() else None


async def _first_of(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)
