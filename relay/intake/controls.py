"""Switches: stop everything, pause a channel; journalled, and obeyed on this node even with Redis down."""

from __future__ import annotations

import asyncio
from pathlib import Path

from relay.clock import Clock
from relay.intake.authority import Key
from relay.intake.ledger import Ledger
from relay.intake.records import ControlRecord
from relay.store.switches import STOP

STOP_FILE = "stopped"


def switch_of(record: ControlRecord) -> str:
    """Return the name of the switch a record is about."""
    return f"pause:{record.channel}" if record.channel else STOP


class Controls:
    """What an operator switches; each acts within a second."""

    def __init__(self, ledger: Ledger, *, data_dir: Path, clock: Clock) -> None:
        self._ledger = ledger
        self._file = data_dir / STOP_FILE
        self._clock = clock

    @property
    def stopped(self) -> bool:
        """Whether this node has been told to stop sending."""
        return self._file.exists()

    async def stop(self, *, reason: str, key: Key) -> None:
        """Stop all sending; accepting goes on.

        Raises:
            JournalUnavailable: the journal cannot be written (the stop holds on this node all the same).
        """
        await asyncio.to_thread(self._file.touch, 0o600)
        await self._write("stop", "", reason, key)

    async def resume(self, *, reason: str, key: Key) -> None:
        """Go on sending."""
        await self._write("resume", "", reason, key)
        await asyncio.to_thread(self._file.unlink, missing_ok=True)

    async def pause(self, channel: str, *, reason: str, key: Key) -> None:
        """Send nothing through one channel; its deliveries wait."""
        await self._write("pause", channel, reason, key)

    async def resume_channel(self, channel: str, *, reason: str, key: Key) -> None:
        """Send through a channel again."""
        await self._write("resume", channel, reason, key)

    async def _write(self, op: str, channel: str, reason: str, key: Key) -> None:
        await self._ledger.write(
            ControlRecord(op=op, channel=channel, reason=reason, by=key.key_id, at=self._clock.now())
        )
