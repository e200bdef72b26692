"""The heartbeat: what this worker tells the others, and what it hears from the switches."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.channels import Channels
from relay.fanout.leases import Leases
from relay.fanout.prepare import Gate, Preparer
from relay.process import pause
from relay.store.switches import STOP, Switches

log = structlog.get_logger()

#: How often the switches are read: a stop is obeyed within a second.
PERIOD = 0.5
IDLE_PERIOD = 0.9
#: How often an idle worker says that it lives; a busy one says it with each look at the switches.
TELL = 1.8
#: A worker that has not been heard of for this long is gone.
GONE = 10.0

STOP_FILE = "stopped"
#: Touched with each heartbeat that Redis took: a worker has no port that a health check could ask.
ALIVE_FILE = "worker.alive"


class Beat:
    """Twice a second, at rest half as often: read the switches, write the heartbeat."""

    def __init__(
        self,
        worker_id: str,
        switches: Switches,
        channels: Channels,
        preparer: Preparer,
        leases: Leases,
        *,
        data_dir: Path,
        clock: Clock,
        facts: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._id = worker_id
        self._switches = switches
        self._channels = channels
        self._preparer = preparer
        self._leases = leases
        self._stop_file = data_dir / STOP_FILE
        self._alive_file = data_dir / ALIVE_FILE
        self._clock = clock
        self._facts = facts
        self._told = float("-inf")

    async def run(self, stopping: asyncio.Event) -> None:
        """Beat until ``stopping``, then say goodbye."""
        while not stopping.is_set():
            try:
                await self._obey()
                if self._leases.in_hand or self._clock.monotonic() - self._told >= TELL:
                    await self._tell()
            except StoreUnavailable:
                # The file on this node still says stop when Redis cannot.
                self._told = float("-inf")
                gate = self._preparer.gate
                self._preparer.gate = Gate(self._stop_file.exists() or gate.stopped, gate.paused)
            await pause(stopping, seconds=PERIOD if self._leases.in_hand else IDLE_PERIOD)
        try:
            await self._switches.forget_workers([self._id])
        except StoreUnavailable:
            log.debug("no_goodbye")

    async def once(self) -> None:
        """Read the switches and write one heartbeat.

        Raises:
            StoreUnavailable: Redis is away.
        """
        await self._obey()
        await self._tell()

    async def _obey(self) -> None:
        found = await self._switches.read()
        paused = frozenset(name.removeprefix("pause:") for name in found if name.startswith("pause:"))
        self._preparer.gate = Gate(STOP in found or self._stop_file.exists(), paused)

    async def _tell(self) -> None:
        now = self._clock.time()
        await self._switches.beat(
            self._id,
            {
                "at": now,
                "channels": {channel.name: channel.state() for channel in self._channels},
                "in_hand": self._leases.in_hand,
                **self._facts(),
            },
        )
        workers = await self._switches.workers()
        others = [w for w, heartbeat in workers.items() if w != self._id and now - heartbeat["at"] < GONE]
        self._leases.alone = not others
        self._told = self._clock.monotonic()
        with contextlib.suppress(OSError):  # a full disk does not stop a worker
            self._alive_file.touch()
        await self._switches.forget_workers(forgettable(self._id, workers, now=now))


def forgettable(worker_id: str, workers: Mapping[str, Mapping[str, Any]], *, now: float) -> list[str]:
    """Return the workers that need not be shown any more.

    One of this very machine was replaced by its supervisor as soon as it is silent; what became of those elsewhere is
    a question for the operator, so they stay in sight for a while.
    """
    house = worker_id.rpartition("-")[0]
    patience = {w: GONE if w.rpartition("-")[0] == house else 20 * GONE for w in workers}
    return [w for w, heartbeat in workers.items() if w != worker_id and now - heartbeat["at"] > patience[w]]
