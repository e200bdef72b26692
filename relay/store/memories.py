"""Memories: whether a server still knows what it was told, for each slot that has a memory of its own.

On one server everything is lost together; on a Cluster each partition, the directory and the switches may be on other
primaries, and one that comes back empty or old is seen by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

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
        found = await self._redis.run_each("memory", [self._keys(place) for place in self._marks], [node])
        if all(isinstance(reply, StoreUnavailable) for reply in found):
            raise found[0]
        return {
            place: Memory(reply[0].decode(), reply[1].decode())
            for place, reply in zip(self._marks, found, strict=True)
            if not isinstance(reply, StoreUnavailable)
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
