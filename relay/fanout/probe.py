"""Probes: an open breaker's provider is asked whether it is back, so that no message has to find out."""

from __future__ import annotations

import asyncio

from relay.fanout.channels import Channels
from relay.process import pause

PERIOD = 1.0


class Prober:
    """Asks the providers that are due, one after the other."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def run(self, stopping: asyncio.Event) -> None:
        """Probe until ``stopping``."""
        while not stopping.is_set():
            for channel in self._channels:
                await channel.probe()
            await pause(stopping, seconds=PERIOD)
