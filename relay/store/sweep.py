"""Sweep: what an interrupted step, an older relay or a loss left in Redis, and nobody would ever look at again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from relay.adapter import Kind
from relay.store.alerts import KEEP
from relay.store.connection import Connection
from relay.store.cursor import Cursor
from relay.store.keys import CLASSES, Partition

_BATCH = 200


class Sweep:
    """Sweeps one partition.  What is found is removed when it is found again by the next sweep, and not before."""

    def __init__(self, connection: Connection, partition: Partition) -> None:
        self._redis = connection
        self.keys = partition
        self._seen: frozenset[str] = frozenset()

    async def once(self, *, now_ms: int) -> int:
        """Sweep, and return how many things were removed.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found = [
            *[f"decision {i}" async for i in self._decisions(now_ms)],
            *[f"leg {i}" async for i in self._legs()],
            *[f"token {i}" async for i in self._tokens()],
        ]
        gone = [name for name in found if name in self._seen]
        for name in gone:
            what, _, which = name.partition(" ")
            await self._remove(what, which)
        self._seen = frozenset(found) - frozenset(gone)
        return len(gone)

    async def _decisions(self, now_ms: int) -> AsyncIterator[str]:
        """Yield decisions on alerts that never came: their time is the last word of them."""
        async for batch in self._scan(self.keys.decisions):
            there = await self._redis.pipe([("EXISTS", self.keys.alert(i)) for i in batch])
            for (alert_id, text), known in zip(batch.items(), there, strict=True):
                at = text.rpartition(b" ")[2]
                if not known and (not at.isdigit() or int(at) < now_ms - KEEP * 1000):
                    yield alert_id

    async def _legs(self) -> AsyncIterator[str]:
        """Yield legs without an alert."""
        async for batch in self._scan(self.keys.legs):
            of = await self._redis.pipe([("HGET", self.keys.leg(i), "alert") for i in batch])
            there = await self._redis.pipe([("EXISTS", self.keys.alert((a or b"").decode())) for a in of])
            for leg_id, known in zip(batch, there, strict=True):
                if not known:
                    yield leg_id

    async def _tokens(self) -> AsyncIterator[str]:
        """Yield tokens of leases that nobody has."""
        leases = [self.keys.leases(kind, klass) for kind in Kind for klass in CLASSES]
        async for batch in self._scan(self.keys.tokens):
            for member in batch:
                if not any(await self._redis.pipe([("ZSCORE", key, member) for key in leases])):
                    yield member

    async def _scan(self, key: str) -> AsyncIterator[dict[str, bytes]]:
        cursor = 0
        while True:
            cursor, found = await self._redis.call("HSCAN", key, cursor, "COUNT", _BATCH)
            pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
            batch = {name.decode(): value for name, value in pairs}
            if batch:
                yield batch
            if not int(cursor):
                return
            cursor = int(cursor)

    async def _remove(self, what: str, which: str) -> None:
        match what:
            case "decision":
                await self._redis.call("HDEL", self.keys.decisions, which)
            case "token":
                await self._redis.call("HDEL", self.keys.tokens, which)
            case _:
                await self._remove_leg(which)

    async def _remove_leg(self, leg_id: str) -> None:
        packed = await self._redis.call("HGET", self.keys.legs, leg_id)
        if not packed:
            return
        names = [self.keys.leg(leg_id)]
        for number in range(len(Cursor.unpack(packed).sizes)):
            names += [self.keys.segment(leg_id, number), self.keys.records(leg_id, number)]
            names.append(self.keys.outcomes(leg_id, number))
        commands: list[tuple[str, ...]] = [("UNLINK", name) for name in names]
        commands += [("ZREM", self.keys.checks, leg_id), ("HDEL", self.keys.legs, leg_id)]
        await self._redis.pipe(commands)
