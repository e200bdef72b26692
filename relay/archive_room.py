"""The archive room: what one API process needs to move finished alerts to disk and to show them as if they were not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.settings import Settings
from relay.store.alerts import Alerts
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.directory import DirectoryStore
from relay.store.legs import Legs
from relay.store.partitions import Keys
from relay.store.receipts import ReceiptStore
from relay.store.retire import Retiring
from relay.store.room import Room
from relay.store.sweep import Sweep
from relay.supervise import Part
from relay.tracking.archive import Archive
from relay.tracking.archivist import Archivist
from relay.tracking.bring_back import Lending, Recall
from relay.tracking.housekeeping import Housekeeping
from relay.tracking.kept import KeptAlerts, KeptLegs, KeptWrites
from relay.tracking.late_mail import LateMail
from relay.tracking.recent_legs import RecentLegs


class ArchiveRoom:
    """The stores that know the archive, and the parts that fill it.

    ``busy`` is a connection on which many callers share round trips; ``accepting`` and ``writes`` use it.
    """

    def __init__(
        self,
        archive: Archive,
        connection: Connection,
        busy: Connection,
        keys: Keys,
        *,
        settings: Settings,
        node: str,
        clock: Clock,
    ) -> None:
        self.archive = archive
        self._keys = keys
        self._ways = [Retiring(connection, partition) for partition in keys.all]
        self._raw = Alerts(connection, keys), Legs(connection, keys), DirectoryStore(connection)
        self._sweeps = [Sweep(connection, partition) for partition in keys.all]
        self._receipts = ReceiptStore(connection, keys)
        self._node = node
        self._clock = clock
        self._archivists: dict[str, Archivist] = {}
        self._after, self._keep_days = settings.archive.after, settings.archive.keep_days
        memory = settings.memory
        self._room = Room(connection, limit_mb=memory.limit_mb, reserve=memory.reserve, clock=clock)
        self._recall = recall = Recall(archive, self._way_of, *self._raw[:2], clock=clock)
        self.alerts = KeptAlerts(connection, keys, archive, recall, self._ways, self._room)
        self.accepting = KeptAlerts(busy, keys, archive, recall, self._ways, self._room)
        self.legs = KeptLegs(connection, keys, archive)
        recent = RecentLegs(KeptLegs(busy, keys, archive))
        self.writes = KeptWrites(recent, Chunks(busy, keys), archive, clock=clock)

    def _way_of(self, sender: str) -> Retiring:
        return self._ways[self._keys.of_sender(sender).number]

    def parts(self) -> Mapping[str, Part]:
        """Return the parts that run in this process."""
        clock = self._clock
        self._archivists = {
            f"archivist {way.keys.number}": Archivist(
                self.archive, way, *self._raw, node=self._node, after=self._after, clock=clock
            )
            for way in self._ways
        }
        tidy = Housekeeping(self.archive, self._sweeps, keep_days=self._keep_days, clock=clock)
        return {
            **self._archivists,
            "late mail": LateMail(self._receipts, self.writes, clock=clock),
            "housekeeping": tidy,
            "lending": Lending(self.archive, self._recall, self._ways),
        }

    async def figures(self) -> Mapping[str, Mapping[str, Any]]:
        """Return how full the fullest server is, and what the archive holds; what is not known now is left out."""
        found: dict[str, Mapping[str, Any]] = {}
        with contextlib.suppress(OSError):
            kept = await asyncio.to_thread(self.archive.figures)
            error = next((a.error for a in self._archivists.values() if a.error), None)
            found["archive"] = {"alerts": kept.alerts, "bytes": kept.bytes, "error": error}
        with contextlib.suppress(StoreUnavailable):
            spaces = [await self._room.look(partition) for partition in self._keys.all]
            space = max(spaces, key=lambda s: s.used / s.limit if s.limit else 0.0)
            found["memory"] = {"used": space.used, "limit": space.limit, "reserve": space.reserve}
        return found
