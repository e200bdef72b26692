"""Bells: blocking reads that wake whoever waits for work of a lane, one worker for each ring."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import structlog

from relay.adapter import Kind
from relay.errors import StoreUnavailable
from relay.fanout.ids import partition_of_leg
from relay.process import first, pause
from relay.store.connection import Connection
from relay.store.keys import CLASSES, Partition
from relay.store.partitions import Keys

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

    def __init__(self, connection: Connection, keys: Keys, lanes: Sequence[str], *, look: float) -> None:
        """``look`` must not exceed the shortest lease: then a dead worker's chunks are taken as their leases end."""
        self._redis = connection
        self._partitions = keys.all
        self._bells = {(lane, keys.number): keys.bell(lane) for keys in keys.all for lane in lanes}
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._look = look
        #: Lanes that have no free hand now.
        self.crowded: set[str] = set()
        #: Called with a lane and a partition in which something may wait, where there are several.
        self.on_place: Callable[[str, int], None] = lambda _lane, _place: None
        #: Called when a bell says that urgent news has come.
        self.on_urgent: Callable[[], None] = lambda: None

    def ring(self, lane: str, *, leg: str = "") -> None:
        """Wake the lane in this process; ``leg`` has something for it."""
        if leg and len(self._partitions) > 1:
            self.on_place(lane, partition_of_leg(leg))
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
            for bells in self._listened():
                tasks.create_task(self._listen(bells, stopping), name=f"bell {next(iter(bells))}")
            tasks.create_task(self._watch(stopping), name="bells watch")
        await self.hand_on()

    async def hand_on(self) -> None:
        """Wake another worker for each lane: what this one heard last, or gives back, is for them."""
        try:
            await self._redis.replies([("LPUSH", key, "1") for key in self._bells.values()])
        except StoreUnavailable:
            log.debug("bells_not_handed_on")

    def _listened(self) -> list[dict[str, tuple[str, int]]]:
        """Return which bells are listened to on one connection: each lane's, or those of one slot."""
        if len(self._partitions) == 1:
            return [{key: bell} for bell, key in self._bells.items()]
        slots: dict[int, dict[str, tuple[str, int]]] = defaultdict(dict)
        for bell, key in self._bells.items():
            slots[bell[1]][key] = bell
        return list(slots.values())

    async def _listen(self, bells: Mapping[str, tuple[str, int]], stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                reply = await first(self._redis.block("BLPOP", *bells, _BLOCK, timeout=_BLOCK + 2), stopping)
                if reply:
                    key, passes = reply[0].decode(), int(reply[1])
                    lane, place = bells[key]
                    if passes > URGENT:
                        self.on_urgent()
                    self._rang(lane, place)
                    await self._pass_on(lane, key, passes)
            except StoreUnavailable:
                # Another server may answer next: claims hear of that.
                await self._back(next(iter(bells)), stopping)
                for lane, place in bells.values():
                    self._rang(lane, place)
        for lane, _ in bells.values():
            self.ring(lane)

    def _rang(self, lane: str, place: int) -> None:
        if len(self._partitions) > 1:
            self.on_place(lane, place)
        self.ring(lane)

    async def _back(self, key: str, stopping: asyncio.Event) -> None:
        """Wait for a server that is away; where there are others, their work goes on meanwhile."""
        while not stopping.is_set():
            await pause(stopping, seconds=0.2)
            with suppress(StoreUnavailable):
                await self._redis.call("EXISTS", key)
                return

    async def _pass_on(self, lane: str, key: str, passes: int) -> None:
        if lane in self.crowded and passes % URGENT <= _MOST_PASSES:
            await self._redis.call("LPUSH", key, passes + 1)

    async def _watch(self, stopping: asyncio.Event) -> None:
        asked: list[tuple[str, ...]] = []
        for keys in self._partitions:
            asked += [("EXISTS", keys.run), ("EXISTS", *_work_keys(keys))]
        while not stopping.is_set():
            try:
                found = await self._redis.replies(asked)
            except StoreUnavailable:
                found = [0] * len(asked)
            for keys, memory, work in zip(self._partitions, found[::2], found[1::2], strict=True):
                # Without its memory a partition was lost or is new: claims find out.
                if work or not memory:
                    self._wake_all(keys.number)
            await pause(stopping, seconds=self._look)
        self._wake_all(0)

    def _wake_all(self, place: int) -> None:
        for lane in {lane for lane, _ in self._bells}:
            self._rang(lane, place)
        for event in list(self._events.values()):
            event.set()


def _work_keys(keys: Partition) -> list[str]:
    """Return every key that holds work when it exists."""
    names = [keys.plan, keys.plan_leases]
    for kind in Kind:
        for klass in CLASSES:
            names += [keys.ready(kind, klass), keys.leases(kind, klass), keys.retries(kind, klass)]
    return names
