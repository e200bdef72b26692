"""Memories: whether a server still knows what it was told, for each slot that has a memory of its own.

On one server everything is lost together; on a Cluster each partition, the directory and the switches may be on other
primaries, and one that comes back empty or old is seen by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.keys import CTL_MARKS, DIR_MARKS
from relay.store.partitions import Keys, Partitions

#: The slots that are no partitions; a partition's place is its number.
DIRECTORY, SWITCHES = -1, -2


@dataclass(frozen=True, slots=True)
class Memory:
    """Whose memory it is: a server run, and a name that is lost when the store is emptied."""

    run: str
    name: str


#: Whatever memory answers.
ANY_MEMORY = Memory("", "")


class Memories:
    """The memories of a deployment, by place."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._redis = connection
        self._marks: dict[int, str] = {keys.number: keys.marks for keys in keys.all}
        self._runs: dict[int, str] = {keys.number: keys.run for keys in keys.all}
        if isinstance(keys, Partitions):
            self._marks |= {DIRECTORY: DIR_MARKS, SWITCHES: CTL_MARKS}

    @property
    def places(self) -> Collection[int]:
        """Every place that has a memory."""
        return self._marks.keys()

    async def read(self, node: str) -> Mapping[int, Memory]:
        """Return which server runs answer, and the names that ``node`` gave; places that are away are left out.

        Raises:
            StoreUnavailable: all of them are.
        """
        servers: dict[str, list[int]] = {}
        for place, marks in self._marks.items():
            with suppress(StoreUnavailable):
                servers.setdefault(await self._redis.server(marks), []).append(place)
        if not servers:
            raise StoreUnavailable("none of the servers can be found")
        # To ask for the run would be most of the work of an idle Cluster: those on one server have it in common.
        runs = await self._redis.run_each("memory", [self._keys(places[0]) for places in servers.values()], [node])
        told: list[tuple[int, Any, Any]] = []
        for places, run in zip(servers.values(), runs, strict=True):
            if not isinstance(run, StoreUnavailable):
                names = [("HGET", self._marks[place], f"{node}:name") for place in places[1:]]
                replies = await self._redis.replies(names) if names else []
                told += zip(places, [run[0]] * len(places), [run[1], *replies], strict=True)
        if not told:
            raise StoreUnavailable("none of the servers answers")
        return {
            place: Memory(run.decode(), (name or b"").decode())
            for place, run, name in told
            if not isinstance(name, BaseException)
        }

    async def name(self, node: str, place: int, name: str) -> None:
        """Name a memory, so that its loss can be seen."""
        await self._redis.call("HSET", self._marks[place], f"{node}:name", name)

    async def fenced(self) -> bool:
        """Whether another server run answers somewhere and workers may still be telling it what the old one forgot.

        Raises:
            StoreUnavailable: one of them is away.
        """
        found = await self._redis.run_each("memory", [self._keys(place) for place in self._runs], [""])
        if away := next((reply for reply in found if isinstance(reply, StoreUnavailable)), None):
            raise away
        return any(reply[2] and reply[2] != reply[0] for reply in found)

    def _keys(self, place: int) -> tuple[str, str]:
        marks = self._marks[place]
        return marks, self._runs.get(place, marks)
