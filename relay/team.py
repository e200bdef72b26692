"""The team: the workers of one relay, and their replacement one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from relay.process import first
from relay.supervise import Child

log = structlog.get_logger()

#: Seconds within which a new worker must be ready; else the old one stays.
READY_WITHIN = 60.0


@dataclass(slots=True)
class _Seat:
    """One worker's place: its process, and the event that sends it away."""

    child: Child
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        try:
            await self.child.run(self.leave)
        finally:
            self.gone.set()


class Team:
    """Workers as child processes.

    :meth:`renew` replaces them one after the other: each new one works before its old one is told to stop.
    """

    def __init__(self, make: Callable[[int], Child], count: int, *, ready_within: float = READY_WITHIN) -> None:
        """``make`` makes the child for a seat, counted from 1."""
        self._make = make
        self._count = count
        self._ready_within = ready_within
        self._asked = asyncio.Event()
        self._seats: list[_Seat] = []
        #: How often the whole team was replaced.
        self.renewals = 0

    @property
    def pids(self) -> list[int]:
        """The process ids of those that run, by seat."""
        return [pid for seat in self._seats if (pid := seat.child.pid) is not None]

    def renew(self) -> None:
        """Ask for all workers to be replaced; asking again meanwhile replaces them once more."""
        self._asked.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the workers running until ``stopping``; then TERM to all at once."""
        async with asyncio.TaskGroup() as tasks:
            self._seats = [self._start(number, tasks) for number in range(1, self._count + 1)]
            while not stopping.is_set():
                await first(self._asked.wait(), stopping)
                if self._asked.is_set() and not stopping.is_set():
                    self._asked.clear()
                    await self._renew(tasks, stopping)
            for seat in self._seats:
                seat.leave.set()

    def _start(self, number: int, tasks: asyncio.TaskGroup) -> _Seat:
        seat = _Seat(self._make(number))
        tasks.create_task(seat.run(), name=seat.child.name)
        return seat

    async def _renew(self, tasks: asyncio.TaskGroup, stopping: asyncio.Event) -> None:
        for place, old in enumerate(list(self._seats)):
            new = self._start(place + 1, tasks)
            if not await self._ready(new, stopping):
                if stopping.is_set():
                    new.leave.set()
                    return
                # Whatever the reason, a worker that works is worth more than one that may.
                log.error("workers_not_replaced", child=new.child.name, within=self._ready_within)
                new.leave.set()
                return
            self._seats[place] = new
            old.leave.set()
            await first(old.gone.wait(), stopping)
            if stopping.is_set():
                return
        self.renewals += 1
        log.info("workers_replaced", count=self._count)

    async def _ready(self, seat: _Seat, stopping: asyncio.Event) -> bool:
        try:
            async with asyncio.timeout(self._ready_within):
                await first(seat.child.ready.wait(), stopping)
        except TimeoutError:
            return False
        return seat.child.ready.is_set()
