"""Everything that reads an archive, over a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relay.store.chunks import Chunks
from relay.store.receipts import ReceiptStore
from relay.store.room import Room
from relay.tracking.bring_back import Recall
from relay.tracking.kept import KeptAlerts, KeptLegs, KeptWrites
from tests.contract.archive_side import ArchiveSide
from tests.contract.engine_side import Engine, wall_ms

HOUR = 3_600_000


class World(ArchiveSide):
    """An archive and everything that reads it."""

    def __init__(self, engine: Engine, folder: Path, *, node: str = "node") -> None:
        super().__init__(engine, folder, node=node)
        redis, keys = engine.redis, engine.keys
        self.recall = Recall(self.archive, lambda _: self.way, engine.alerts, engine.legs, clock=self.clock)
        room = Room(redis, limit_mb=0, reserve=0.2, clock=self.clock)
        self.alerts = KeptAlerts(redis, keys, self.archive, self.recall, [self.way], room)
        self.legs = KeptLegs(redis, keys, self.archive)
        self.writes = KeptWrites(self.legs, Chunks(redis, keys), self.archive, clock=self.clock)
        self.receipts = ReceiptStore(redis, keys)

    async def archived(self, alert_id: str = "alert", **facts: Any) -> str:
        """Finish an alert and archive it; returns its leg."""
        values: dict[str, Any] = {
            "received_ms": wall_ms() - 1000,
            "expires_ms": wall_ms() + 5 * HOUR,
            "fields": {"sender": "duty@meteo.example", "referenced": " ".join(facts.get("referenced", ()))},
        }
        leg = await self.finished(alert_id, **{**values, **facts})
        assert await self.archivist.once() == 1
        return leg
