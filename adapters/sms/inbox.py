"""Receipts and replies on their way to the core: a bounded queue that answers the provider only for what it holds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from adapters.sms.status import ROK, RX_T_APPN
from relay.adapter import Event

Ack = Callable[[int], None]


class Inbox:
    """Keeps events until the core takes them.

    ``ack`` answers the provider with a command_status.  What fits is answered at once.  When the core is slow, more
    is kept unanswered, so that the provider's own window slows it down; beyond that RX_T_APPN, the code that the
    specification made for it, asks the provider to come again.
    """

    def __init__(self, *, size: int, unanswered: int) -> None:
        self._size = size
        self._unanswered = unanswered
        self._events: deque[Event] = deque()
        self._waiting: deque[tuple[Sequence[Event], Ack]] = deque()
        self._stirred = asyncio.Event()
        self._closed = False

    def put(self, events: Sequence[Event], ack: Ack) -> None:
        """Take ``events``, which came in one message, and answer that message as soon as they are kept."""
        if not self._waiting and len(self._events) + len(events) <= self._size:
            self._keep(events, ack)
        elif len(self._waiting) < self._unanswered and not self._closed:
            self._waiting.append((events, ack))
        else:
            ack(RX_T_APPN)

    async def events(self) -> AsyncIterator[Event]:
        """Yield events until the inbox is closed and what it had answered for is taken."""
        while True:
            while self._events:
                event = self._events.popleft()
                self._refill()
                yield event
            if self._closed:
                return
            self._stirred.clear()
            await self._stirred.wait()

    def close(self) -> None:
        """End :meth:`events` after what is kept; what waits unanswered stays with the provider."""
        self._closed = True
        self._waiting.clear()
        self._stirred.set()

    def _keep(self, events: Sequence[Event], ack: Ack) -> None:
        self._events.extend(events)
        ack(ROK)
        self._stirred.set()

    def _refill(self) -> None:
        while self._waiting and len(self._events) + len(self._waiting[0][0]) <= self._size:
            self._keep(*self._waiting.popleft())
