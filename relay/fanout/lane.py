"""A lane: one kind's chunks, claimed one after the other and sent side by side."""

from __future__ import annotations

import asyncio
import secrets
from functools import partial

import structlog

from relay.adapter import Kind
from relay.errors import StoreUnavailable
from relay.fanout.bell import CHECKS, Bells
from relay.fanout.leases import Leases
from relay.fanout.prepare import Preparer
from relay.fanout.sender import Sender
from relay.fanout.settling import Work
from relay.settings import Engine
from relay.store.chunk import Chunk
from relay.store.chunks import Chunks, Nothing

log = structlog.get_logger()

#: These many chunks of P0 and P1 may be in hand on top of the lane's slots, so that slow low ones never block them.
URGENT_SLOTS = 2
#: These many chunks may wait for slow providers besides: one that never answers must not keep others back.
PARKED = 32

#: What a chunk takes of the lane's room: a full one, and at least; many small alerts go side by side.
_WHOLE = 500
_LEAST = 31


class Lane:
    """Claims while a slot is free.  The claim itself decides what comes first; the lane only asks."""

    def __init__(
        self,
        kind: Kind,
        *,
        chunks: Chunks,
        sender: Sender,
        leases: Leases,
        bells: Bells,
        preparer: Preparer,
        engine: Engine,
        most: int,
    ) -> None:
        self.kind = kind
        self._chunks = chunks
        self._sender = sender
        self._leases = leases
        self._bells = bells
        self._preparer = preparer
        self._engine = engine
        self._most = most
        self._room = engine.slots * _WHOLE
        self._busy = 0
        self._waiting = 0
        self._changed = asyncio.Event()

    async def run(self, stopping: asyncio.Event) -> None:
        """Claim and send until ``stopping``; then finish what is in hand."""
        async with asyncio.TaskGroup() as tasks:
            while not stopping.is_set():
                if self._full or self._preparer.shut(self.kind):
                    await self._pause(0.25)
                    continue
                wait = await self._claim(tasks)
                if wait:
                    await self._bells.wait(self.kind, seconds=wait)

    @property
    def idle(self) -> bool:
        """Whether nothing is in hand."""
        return not self._busy and not self._waiting

    @property
    def _full(self) -> bool:
        return self._busy >= self._room + URGENT_SLOTS * _WHOLE or self._waiting >= 2 * PARKED

    async def _claim(self, tasks: asyncio.TaskGroup) -> float:
        """Claim once; returns how long to wait before the next claim, 0 after a success."""
        try:
            claimed = await self._chunks.claim(
                self.kind,
                token=secrets.token_hex(8),
                most=self._most,
                lease_ms=int(self._engine.lease * 1000),
                flash_ms=int(self._engine.lease_flash * 1000),
                fence_ms=self._leases.fence_ms,
                urgent=self._busy >= self._room or self._waiting >= PARKED,
            )
        except StoreUnavailable:
            return 0.2
        self._leases.heard(claimed.epoch, claimed.place)
        match claimed.found:
            case Nothing(wait=wait):
                return wait
            case Chunk() as chunk:
                self._start(chunk, tasks)
        return 0.0

    def _start(self, chunk: Chunk, tasks: asyncio.TaskGroup) -> None:
        work = Work(chunk, reread=self._leases.unsure)
        if self._leases.overlaps(chunk):
            # This worker still sends an earlier lease of the same range that Redis has forgotten: leave it alone.
            log.warning("chunk_in_hand", leg=chunk.leg_id, segment=chunk.segment, first=chunk.first)
            return
        self._count(_weight(chunk))
        work.on_park = partial(self._parked, work)
        tasks.create_task(self._work(work), name=f"chunk {chunk.member}")

    async def _work(self, work: Work) -> None:
        try:
            with self._leases.holding(work):
                await self._sender.send(work)
        except Exception:  # one chunk's defect must not stop the lane; its lease runs out and it is in doubt
            log.exception("chunk_failed", leg=work.chunk.leg_id, segment=work.chunk.segment, first=work.chunk.first)
        finally:
            if work.parked:
                self._waiting -= 1
            else:
                self._count(-_weight(work.chunk))
            self._changed.set()
            self._bells.ring(self.kind, leg=work.chunk.leg_id)
            self._bells.ring(CHECKS)

    def _parked(self, work: Work) -> None:
        """Give the slot of a chunk that only waits for slow providers to another one."""
        self._waiting += 1
        self._count(-_weight(work.chunk))
        self._changed.set()
        self._bells.ring(self.kind)

    def _count(self, weight: int) -> None:
        self._busy += weight
        if self._busy >= self._room:
            self._bells.crowded.add(self.kind)
        else:
            self._bells.crowded.discard(self.kind)

    async def _pause(self, seconds: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return


def _weight(chunk: Chunk) -> int:
    return max(chunk.last - chunk.first, _LEAST)
