"""Room: how much memory Redis uses and may use, and plans that wait until there is more of it."""

from __future__ import annotations

from dataclasses import dataclass

from relay.adapter import Class
from relay.clock import Clock
from relay.store.alerts import StoredAlert
from relay.store.connection import Connection
from relay.store.keys import Partition

#: What an alert that waits for memory says as its reason.
WAITS_FOR_MEMORY = "waits_for_memory"

#: How long a look at the server's memory is believed, in seconds.
_FRESH = 1.0
URGENT = frozenset({Class.P0, Class.P1})


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes that Redis uses and may use (0: no limit is known), and the part of them that is for P0 and P1 only."""

    used: int
    limit: int
    reserve: float

    def admits(self, need: int, *, klass: Class) -> bool:
        """Whether so many more bytes may be used for an alert of a class."""
        if not self.limit or klass in URGENT:
            # Urgent news is never held back here: what Redis itself refuses is tried again until it fits.
            return True
        return self.used + need <= self.limit * (1 - self.reserve)


class Room:
    """Looks at the server's memory, at most once a second.

    The limit is ``limit_mb``, else the server's ``maxmemory``, else half of the memory of its machine.
    """

    def __init__(self, connection: Connection, *, limit_mb: float, reserve: float, clock: Clock) -> None:
        self._redis = connection
        self._limit = int(limit_mb * 1024 * 1024)
        self._reserve = reserve
        self._clock = clock
        self._seen: dict[int, tuple[float, Space]] = {}

    async def look(self, partition: Partition) -> Space:
        """Return what the server of a partition uses and may use.

        Raises:
            StoreUnavailable: Redis is away.
        """
        now = self._clock.monotonic()
        at, space = self._seen.get(partition.number, (now - _FRESH, None))
        if space is None or now - at >= _FRESH:
            if space is not None:
                self._seen[partition.number] = (now, space)  # who comes meanwhile need not ask too
            used, maxmemory, machine = map(int, await self._redis.run("space", [partition.run], []))
            space = Space(used, self._limit or maxmemory or machine // 2, self._reserve)
            self._seen[partition.number] = (now, space)
        return space

    async def park(self, alert: StoredAlert, partition: Partition, *, until_ms: int) -> str:
        """Put a plan off because there is no room, and say so in the alert; returns the alert's state."""
        names = [partition.alert(alert["id"]), partition.plan_leases]
        return str((await self._redis.run("park", names, [alert["id"], WAITS_FOR_MEMORY, until_ms])).decode())

    async def unpark(self, alert: StoredAlert, partition: Partition) -> None:
        """Take the reason back: there is room now."""
        names = [partition.alert(alert["id"]), partition.plan_leases]
        await self._redis.run("park", names, [alert["id"], WAITS_FOR_MEMORY, 0])
