"""The leases this worker holds: kept alive, and given up when their legs may not go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.replay import Replay
from relay.fanout.settling import Work
from relay.process import pause
from relay.settings import Engine
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks
from relay.store.cursor import STOPPED

log = structlog.get_logger()

#: For this long after the server changed, fresh chunks are read before they are sent: they may be known already.
_UNSURE = 60.0
_ENDING = 0.05


async def _nobody() -> None:
    """Nobody wants to know."""


class Leases:
    """Work in hand, and what the partition's epoch says about Redis' memory."""

    def __init__(self, chunks: Chunks, replay: Replay, *, engine: Engine, clock: Clock) -> None:
        self._chunks = chunks
        self._replay = replay
        self._engine = engine
        self._clock = clock
        self._works: dict[int, Work] = {}
        self._epochs: dict[int | None, str] = {}
        self._changed_at = float("-inf")
        self.alone = True
        self.on_change: list[asyncio.Event] = []
        #: Called while this worker ends, when a chunk was given back: somebody else may want to know.
        self.on_release: Callable[[], Awaitable[None]] = _nobody

    @property
    def fence_ms(self) -> int:
        """How long nothing is leased after another server run answers: not at all when no other worker lives."""
        return 0 if self.alone else int(self._engine.fence * 1000)

    @property
    def unsure(self) -> bool:
        """Whether Redis may lately have forgotten something."""
        return self._clock.monotonic() - self._changed_at < _UNSURE

    @property
    def in_hand(self) -> int:
        """How many chunks this worker holds."""
        return len(self._works)

    def heard(self, epoch: str, place: int | None = None) -> None:
        """Take note of the epoch of a claim; another one means that Redis may have forgotten our last settles.

        ``place`` is the partition that was asked; an empty epoch is that of one which did not answer.
        """
        if not epoch:
            return
        known = self._epochs.get(place)
        if known is not None and epoch != known:
            log.warning("server_changed", in_hand=len(self._works), partition=place)
            self._changed_at = self._clock.monotonic()
            self._replay.forgotten(place)
            for event in self.on_change:
                event.set()
        self._epochs[place] = epoch

    def overlaps(self, chunk: Chunk) -> bool:
        """Whether part of ``chunk`` is in hand under an earlier lease."""
        return any(
            held.leg_id == chunk.leg_id
            and held.segment == chunk.segment
            and held.first < chunk.last
            and chunk.first < held.last
            for held in (work.chunk for work in self._works.values())
        )

    @contextmanager
    def holding(self, *works: Work) -> Iterator[None]:
        """Keep leases alive inside the block."""
        self._works.update((id(work), work) for work in works)
        try:
            yield
        finally:
            for work in works:
                del self._works[id(work)]

    async def run(self, stopping: asyncio.Event) -> None:
        """Renew often enough that one missed beat does not cost a lease; after a stop, give back what can be."""
        period = min(1.0, self._engine.lease / 5, self._engine.lease_flash / 5)
        while not stopping.is_set():
            await self._renewed()
            await pause(stopping, seconds=period)
        while self._works:
            held = len(self._works)
            self._give_back()
            await self._renewed()
            await asyncio.sleep(_ENDING)
            if len(self._works) < held:
                await self.on_release()

    def _give_back(self) -> None:
        """Let senders finish what is being handed over, and leave the rest to whoever claims it now."""
        now = int(self._clock.time() * 1000)
        for work in self._works.values():
            if not work.stopped.is_set():
                work.owe(now)
                work.stopped.set()

    async def _renewed(self) -> None:
        try:
            await self._renew()
        except StoreUnavailable:
            log.debug("leases_not_renewed", in_hand=len(self._works))

    async def _renew(self) -> None:
        works = list(self._works.values())
        flags = await self._chunks.renew(
            [work.chunk for work in works],
            lease_ms=int(self._engine.lease * 1000),
            flash_ms=int(self._engine.lease_flash * 1000),
        )
        for work, flag in zip(works, flags, strict=True):
            if flag < 0 or flag & STOPPED:
                work.stopped.set()
