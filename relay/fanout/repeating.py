"""Repeating: after another server answers, what this worker knows is told again.

Its channels' numbers, its settles, the receipts and replies that it heard.
"""

from __future__ import annotations

import asyncio

from relay.errors import StoreUnavailable
from relay.fanout.channels import Channels
from relay.fanout.contents import Contents
from relay.fanout.leases import Leases
from relay.fanout.replay import Replay
from relay.store.legs import Legs
from relay.tracking.lately import Lately

_PERIOD = 0.5


class Repeating:
    """Tells Redis again what it may have forgotten."""

    def __init__(
        self,
        leases: Leases,
        contents: Contents,
        replay: Replay,
        channels: Channels,
        legs: Legs,
        lately: Lately,
    ) -> None:
        self._changed = asyncio.Event()
        leases.on_change.append(self._changed)
        self._contents = contents
        self._replay = replay
        self._channels = channels
        self._legs = legs
        self._lately = lately

    async def run(self, stopping: asyncio.Event) -> None:
        """Repeat until ``stopping``."""
        while not stopping.is_set():
            if self._changed.is_set():
                self._changed.clear()
                self._contents.forget()
                self._lately.forgotten()
                await self._number()
            if self._replay.owing:
                await self._replay.repeat_all()
            if self._lately.owing:
                await self._lately.repeat()
            try:
                async with asyncio.timeout(_PERIOD):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _number(self) -> None:
        """Let the channels keep their numbers: records that were not lost, or are told again, have them."""
        try:
            for channel in self._channels:
                channel.index = await self._legs.channel_index(channel.name, known=channel.index)
        except StoreUnavailable:
            self._changed.set()
            await asyncio.sleep(_PERIOD)
