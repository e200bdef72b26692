"""Listen: receipts and replies from the channels that hear them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from weakref import WeakValueDictionary

import structlog

from relay.adapter import Event, Inbound, Listens, Receipt
from relay.errors import StoreUnavailable
from relay.fanout.channels import OpenChannel
from relay.process import first, pause
from relay.tracking.receipts import Receipts

log = structlog.get_logger()

#: So many events are applied at a time.
AT_ONCE = 128

_AGAIN = 0.2  # seconds, while Redis is away


class Listener:
    """One channel's events, many at a time so that they share round trips; Redis may be away, the events wait.

    They are begun in the order in which they were heard, and the replies of one number are taken one after the other:
    the last one counts.  Receipts need no order, for the table of states decides.
    """

    def __init__(self, channel: OpenChannel, receipts: Receipts) -> None:
        self._channel = channel
        self._receipts = receipts
        self._room = asyncio.Semaphore(AT_ONCE)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self, stopping: asyncio.Event) -> None:
        """Apply events until the adapter is closed or ``stopping``."""
        adapter = self._channel.adapter
        if not isinstance(adapter, Listens):
            return
        async with asyncio.TaskGroup() as applying:
            await first(self._hear(adapter.events(), applying, stopping), stopping)

    async def _hear(self, events: AsyncIterator[Event], applying: asyncio.TaskGroup, stopping: asyncio.Event) -> None:
        while True:
            # The room first: between an event's being handed to us and its beginning there is nothing to be cancelled.
            await self._room.acquire()
            event = await anext(events, None)
            if event is None:
                return
            applying.create_task(self._surely(event, stopping), name=f"event of {self._channel.name}")

    async def _surely(self, event: Event, stopping: asyncio.Event) -> None:
        """Apply an event, at a stop too if Redis is there: the provider was told that we have it."""
        turn = self._turns.setdefault(event.sender, asyncio.Lock()) if isinstance(event, Inbound) else nullcontext()
        try:
            async with turn:
                while True:
                    try:
                        return await self._apply(event)
                    except StoreUnavailable:
                        if stopping.is_set():
                            return None
                        await pause(stopping, seconds=_AGAIN)
        finally:
            self._room.release()

    async def _apply(self, event: Event) -> None:
        match event:
            case Receipt():
                known = await self._receipts.receive(self._channel.name, event)
                if not known:
                    log.debug("receipt_early", channel=self._channel.name)
            case Inbound():
                known = await self._receipts.answer(event.sender, event.text)
                log.info("reply", channel=self._channel.name, acknowledged=known)
