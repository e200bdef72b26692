"""An archive beside a real server: alerts that are finished, and an archivist that may be stopped between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from relay.store.directory import DirectoryStore
from relay.store.retire import Retiring
from relay.testing.clocks import FakeClock
from relay.tracking.archive import Archive
from relay.tracking.archivist import Archivist
from relay.tracking.states import Record, State
from tests.contract.engine_side import Engine, a_segment, an_alert, wall_ms

AFTER = 3600.0
LATER = 2 * 3600


class ArchiveSide:
    """An engine, an archive folder, and one node's archivist with a clock of its own."""

    def __init__(self, engine: Engine, folder: Path, *, node: str = "node") -> None:
        self.engine = engine
        self.folder = folder
        self.clock = FakeClock(datetime.now(UTC) + timedelta(seconds=LATER))
        self.directory = DirectoryStore(engine.redis)
        self.way = Retiring(engine.redis, engine.keys)
        self.archive = Archive(folder, node=node)
        self.archive.open(now_ms=wall_ms())
        self.archive.compare()
        self.archivist = Archivist(
            self.archive,
            self.way,
            engine.alerts,
            engine.legs,
            self.directory,
            node=node,
            after=AFTER,
            clock=self.clock,
        )

    async def people(self, count: int) -> None:
        """Store recipients ``person-0`` and so on under the ordinals from 0."""
        rows = {n: orjson.dumps({"id": f"person-{n}"}) for n in range(count)}
        await self.directory.allocate([f"person-{n}" for n in rows], epoch="e")
        await self.directory.write(rows)

    async def finished(self, alert_id: str = "alert", *, sizes: tuple[int, ...] = (3,), **facts: object) -> str:
        """Accept, send and end an alert with one leg; returns the leg's id."""
        if facts:
            await self.engine.alerts.accept(an_alert(alert_id, **facts))
        leg = await self.engine.leg(sizes, alert_id=alert_id)
        packed = [a_segment(size, number=n, first=n * 10_000).pack() for n, size in enumerate(sizes)]
        await self.engine.legs.write_segments(leg, packed)
        for size in sizes:
            for _ in range(-(-size // 500)):
                chunk = await self.engine.claim()
                records = {p: delivered(p) for p in range(chunk.first, chunk.last)}
                await self.engine.settle(chunk, records, alert_id=alert_id, size=size)
        return leg

    def files(self) -> list[Path]:
        """Return the archived alerts' files."""
        return sorted(self.folder.glob("*/*.jsonl.gz"))

    async def keys(self) -> list[str]:
        """Return every key in Redis."""
        return sorted(key.decode() for key in await self.engine.redis.call("KEYS", "*"))


def delivered(position: int, **changes: object) -> Record:
    """Return the record of a delivery that arrived."""
    values: Mapping[str, object] = {"state": State.DELIVERED, "attempt": 1, "send": 1, "accepted": 5, "ended": 9}
    return Record(**{**values, "provider": position + 1, **changes})  # type: ignore[arg-type]
