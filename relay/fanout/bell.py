"""Bells: blocking reads that wake whoever waits for work of a lane, one worker for each ring."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from relay.adapter import Kind
from relay.errors import StoreUnavailable
from relay.process import first, pause
from relay.store.connection import Connection
from relay.store.keys import CLASSES, Partition

log = structlog.get_logger()

#: The lane of this process that looks after legs; nobody elsewhere rings it.
CHECKS = "checks"

_BLOCK = 10.0
#: A bell that reached a worker without a free hand is passed on so many times at most: then all are busy, and each
#: claims by itself as soon as a hand is free.
_MOST_PASSES = 8
#: A ring is the number of times it was passed on, from 1; this much more when it is for P0 or P1.
URGENT = 99


class Bells:
    """The wake-ups of one worker.

    Bells are trusted: a lane that was told "nothing" sleeps until one rings.  What rings nobody (a worker died, a bell
    was lost with it) is found by a look every ``look`` seconds at whether there is anything at all.
    """

    def __init__(self, connection: Connection, partition: Partition, lanes: Sequence[str], *, look: float) -> None:
        """``look`` must not exceed the shortest lease: then a dead worker's chunks are taken as their leases end."""
        self._redis = connection
        self._keys = {lane: partition.bell(lane) for lane in lanes}
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._work = _work_keys(partition)
        self._look = look
        #: Lanes that have no free hand now.
        self.crowded: set[str] = set()
        #: Called when a bell says that urgent news has come.
        self.on_urgent: Callable[[], None] = lambda: None

    def ring(self, lane: str) -> None:
        """Wake the lane in this process."""
        self._events[lane].set()

    @contextmanager
    def busy(self, lane: str) -> Iterator[None]:
        """Pass rings of ``lane`` on inside the block; at its end somebody looks after what was done."""
        self.crowded.add(lane)
        try:
            yield
        finally:
            self.crowded.discard(lane)
            self.ring(CHECKS)

    async def wait(self, lane: str, *, seconds: float) -> bool:
        """Wait until the lane's bell rings, at most ``seconds``; say whether it rang."""
        event = self._events[lane]
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                await event.wait()
        except TimeoutError:
            return False
        event.clear()
        return True

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen until ``stopping``; then wake all who wait here, and one elsewhere for each lane."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._keys:
                tasks.create_task(self._listen(lane, stopping), name=f"bell {lane}")
            tasks.create_task(self._watch(stopping), name="bells watch")
        await self.hand_on()

    async def hand_on(self) -> None:
        """Wake another worker for each lane: what this one heard last, or gives back, is for them."""
        try:
            await self._redis.pipe([("LPUSH", key, "1") for key in self._keys.values()])
        except StoreUnavailable:
            log.debug("bells_not_handed_on")

    async def _listen(self, lane: str, stopping: asyncio.Event) -> None:
        key = self._keys[lane]
        while not stopping.is_set():
            try:
                reply = await first(self._redis.block("BLPOP", key, _BLOCK, timeout=_BLOCK + 2), stopping)
                if reply:
                    passes = int(reply[1])
                    if passes > URGENT:
                        self.on_urgent()
                    self.ring(lane)
                    await self._pass_on(lane, passes)
            except StoreUnavailable:
                # Another server may answer next: claims hear of that.
                self.ring(lane)
                await pause(stopping, seconds=0.2)
        self.ring(lane)

    async def _pass_on(self, lane: str, passes: int) -> None:
        if lane in self.crowded and passes % URGENT <= _MOST_PASSES:
            await self._redis.call("LPUSH", self._keys[lane], passes + 1)

    async def _watch(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                # One: the partition's memory is there, and nothing else is.
                idle = await self._redis.call("EXISTS", *self._work) == 1
            except StoreUnavailable:
                idle = False
            if not idle:
                self._wake_all()
            await pause(stopping, seconds=self._look)
        self._wake_all()

    def _wake_all(self) -> None:
        for event in list(self._events.values()):
            event.set()


def _work_keys(keys: Partition) -> list[str]:
    """Return every key that holds work when it exists, and first the one that always exists."""
    names = [keys.run, keys.plan, keys.plan_leases]
    for kind in Kind:
        for klass in CLASSES:
            names += [keys.ready(kind, klass), keys.leases(kind, klass), keys.retries(kind, klass)]
    return names
