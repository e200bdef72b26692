"""A lane: one kind's chunks, claimed one after the other and sent side by side."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial

import structlog

from relay.adapter import Class, Kind
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

_URGENT = (Class.P0, Class.P1)

#: These many chunks of P0 and P1 may be in hand on top of the lane's slots, so that slow low ones never block them.
URGENT_SLOTS = 2
#: These many chunks may wait for slow providers besides: one that never answers must not keep others back.
PARKED = 32

#: What a chunk takes of the lane's room: a full one, and at least; many small alerts go side by side.
_WHOLE = 500
_LEAST = 31
#: So many small chunks are claimed in one question and sent together: as many as fill a whole one.
TOGETHER = _WHOLE // _LEAST


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
        """``most`` is how large a chunk may be."""
        self.kind = kind
        self._chunks = chunks
        self._sender = sender
        self._leases = leases
        self._bells = bells
        self._preparer = preparer
        self._engine = engine
        self._most = most
        #: How many small chunks may share each step.
        self.together = TOGETHER
        self._count = 1  # chunks asked for next: several after small ones
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
        count = max(1, min(self._count, (self._room - self._busy) // _LEAST))
        try:
            claimed = await self._chunks.claim(
                self.kind,
                token=secrets.token_hex(8),
                most=self._most if self._count == 1 else min(self._most, _LEAST),
                count=count,
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
                self._count = 1
                return wait
            case Chunk() as chunk:
                self._start([chunk, *claimed.more], tasks)
                small = all(c.last - c.first < _LEAST for c in (chunk, *claimed.more))
                self._count = min(self._count * 2, self.together) if small else 1
        return 0.0

    def _start(self, chunks: Sequence[Chunk], tasks: asyncio.TaskGroup) -> None:
        """Send chunks: urgent ones each by itself and at once, fresh ones together.

        What comes back goes by itself, too: if it is what a worker stumbled over, only that stumbles again.
        """
        works = [self._taken(chunk) for chunk in chunks if not self._in_hand(chunk)]
        alone = [[work] for work in works if not _goes_in_company(work.chunk)]
        together = [work for work in works if _goes_in_company(work.chunk)]
        for some in filter(None, (*alone, together)):
            tasks.create_task(self._work(some), name=f"chunk {some[0].chunk.member}")

    def _in_hand(self, chunk: Chunk) -> bool:
        if not self._leases.overlaps(chunk):
            return False
        # This worker still sends an earlier lease of the same range that Redis has forgotten: leave it alone.
        log.warning("chunk_in_hand", leg=chunk.leg_id, segment=chunk.segment, first=chunk.first)
        return True

    def _taken(self, chunk: Chunk) -> Work:
        work = Work(chunk, reread=self._leases.unsure)
        self._weigh(_weight(chunk))
        work.on_park = partial(self._parked, work)
        return work

    async def _work(self, works: Sequence[Work]) -> None:
        try:
            with self._leases.holding(*works):
                await self._sender.send(*works)
        except Exception:  # one chunk's defect must not stop the lane; its lease runs out and it is in doubt
            log.exception("chunk_failed", chunks=[work.chunk.member for work in works])
        finally:
            for work in works:
                if work.parked:
                    self._waiting -= 1
                else:
                    self._weigh(-_weight(work.chunk))
                self._bells.ring(self.kind, leg=work.chunk.leg_id)
            self._changed.set()
            self._bells.ring(CHECKS)

    def _parked(self, work: Work) -> None:
        """Give the slot of a chunk that only waits for slow providers to another one."""
        self._waiting += 1
        self._weigh(-_weight(work.chunk))
        self._changed.set()
        self._bells.ring(self.kind)

    def _weigh(self, weight: int) -> None:
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


def _goes_in_company(chunk: Chunk) -> bool:
    return chunk.how == "fresh" and chunk.klass not in _URGENT


def _weight(chunk: Chunk) -> int:
    return max(chunk.last - chunk.first, _LEAST)
