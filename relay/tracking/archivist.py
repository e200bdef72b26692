"""The archivist: writes finished alerts to the archive and takes them out of Redis, one after the other (design §9)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.process import pause
from relay.store.alerts import KEEP, Alerts, StoredAlert
from relay.store.directory import DirectoryStore
from relay.store.legs import Leg, Legs
from relay.store.retire import Going, Retiring
from relay.tracking.archive import Archive
from relay.tracking.archive_file import ArchivedLeg, Header, NamedSegment, Piece, Writer
from relay.tracking.archive_rows import rows
from relay.tracking.deliveries import recipient_ids
from relay.tracking.finished import ended, finished_ms, is_mine, is_needed, note_seconds

log = structlog.get_logger()

_BATCH = 100
#: Alerts that stay although they are old are looked at again each time, up to so many.
_MOST_SKIPPED = 10_000
#: How long an archivist may be silent before another takes over, in seconds.
_LEASE = 30.0
_LONGEST_PERIOD = 60.0
_SHORTEST_PERIOD = 0.5
#: So many rows are made in one go, some two milliseconds of this process.
_ROWS = 200
_BREATH = 0.001


class Archivist:
    """One node's archivist for one partition."""

    def __init__(
        self,
        archive: Archive,
        way: Retiring,
        alerts: Alerts,
        legs: Legs,
        directory: DirectoryStore,
        *,
        node: str,
        after: float,
        clock: Clock,
    ) -> None:
        self._archive = archive
        self._way = way
        self._alerts = alerts
        self._legs = legs
        self._directory = directory
        self._node = node
        self._after_ms = int(after * 1000)
        self._period = min(_LONGEST_PERIOD, max(_SHORTEST_PERIOD, after / 10))
        self._clock = clock
        self._token = secrets.token_hex(8)
        #: Why the last alert could not be archived; empty when it could.
        self.error = ""

    async def run(self, stopping: asyncio.Event) -> None:
        """Look now and then until ``stopping``."""
        while not stopping.is_set():
            try:
                await self.once(stopping)
                self.error = ""
            except StoreUnavailable:
                log.debug("archive_waits_for_redis")
            except OSError as error:
                self.error = error.strerror or str(error)
                log.warning("not_archived", error=self.error)
            except Exception:  # a defect in one alert must not end the process that accepts
                self.error = "see the log"
                log.exception("not_archived")
            await pause(stopping, seconds=self._period)

    async def once(self, stopping: asyncio.Event | None = None) -> int:
        """Archive everything that is due, oldest first, and return how many alerts went.

        Raises:
            StoreUnavailable: Redis is away.
            OSError: the disk; what could not be written stays in Redis.
        """
        await asyncio.to_thread(self._archive.compare)
        await self._settle_doubts()
        await self._way.purge()
        gone = skip = 0
        while skip < _MOST_SKIPPED:
            found = await self._way.old(before_ms=self._ms() - self._after_ms, skip=skip, most=_BATCH)
            for alert in found:
                if stopping is not None and stopping.is_set():
                    return gone
                went = await self._consider(alert)
                gone += went
                skip += not went
            if len(found) < _BATCH:
                break
        return gone

    async def _settle_doubts(self) -> None:
        """Find out of alerts that were written whether they were taken out as well: the answer may have been lost.

        Of every partition: the archive is one for all of them, and another's archivist may be at work on one now.
        """
        doubtful = await asyncio.to_thread(self._archive.doubtful)
        there = {alert["id"] for alert in await self._here(doubtful)}
        for alert_id in doubtful:
            if alert_id not in there:
                await asyncio.to_thread(self._archive.gone, alert_id)

    async def _consider(self, alert: StoredAlert) -> bool:
        """Archive an alert if it may go; the facts are the few that :meth:`Retiring.old` reads."""
        if not alert["state"]:
            await self._way.unlist(alert["id"])
            return True
        if not ended(alert):
            return False
        legs = [leg for leg in await self._legs.get_many(alert.legs) if leg is not None]
        since, now = finished_ms(alert, legs), self._ms()
        if since is None or since + self._after_ms > now:
            return False
        if not is_mine(alert, node=self._node, now_ms=now, since_ms=since) or await self._is_needed(alert, now):
            return False
        return await self._move(alert["id"])

    async def _is_needed(self, alert: StoredAlert, now_ms: int) -> bool:
        by_triple = await self._alerts.by_triples(alert["referenced"].split()) if alert["referenced"] else {}
        targets = await self._here({i for ids in by_triple.values() for i in ids} - {alert["id"]})
        referrers = await self._here({i for _, i in await self._alerts.referrers(alert["k1"])} if alert["k1"] else ())
        return is_needed(targets, referrers, now_ms=now_ms)

    async def _here(self, alert_ids: Collection[str]) -> list[StoredAlert]:
        """Return those of the alerts that are in Redis, in whatever partition."""
        found = [await self._alerts.get(alert_id, with_raw=False) for alert_id in sorted(alert_ids)]
        return [alert for alert in found if alert is not None and not alert["archived"]]

    async def _move(self, alert_id: str) -> bool:
        if not await self._way.lease(alert_id, self._token, seconds=_LEASE):
            return False
        stored = await self._alerts.get(alert_id)
        if stored is None:
            return False
        legs = [leg for leg in await self._legs.get_many(stored.legs) if leg is not None]
        writer = await asyncio.to_thread(self._archive.writer, stored)
        try:
            if not await self._write(writer, legs, alert_id=alert_id):
                return False
            await asyncio.to_thread(self._archive.finish, writer, await self._header(stored, legs))
        finally:
            await asyncio.to_thread(writer.abandon)
        return await self._retire(stored, legs)

    async def _write(self, writer: Writer, legs: Sequence[Leg], *, alert_id: str) -> bool:
        """Write all segments; False when it took so long that another node may have taken over."""
        channels = {index: name for name, index in (await self._legs.channels()).items()}
        for leg in legs:
            for number in range(len(leg.cursor.sizes)):
                if not await self._way.lease(alert_id, self._token, seconds=_LEASE):
                    return False
                began = self._clock.monotonic()
                await self._segment(writer, leg, number, channels)
                # A large alert must not be felt by those who post meanwhile: at most half of the time is its own.
                await asyncio.sleep(min(self._clock.monotonic() - began, 0.5))
        return True

    async def _segment(self, writer: Writer, leg: Leg, number: int, channels: dict[int, str]) -> None:
        segment = await self._legs.segment(leg.leg_id, number)
        if segment is None:
            return
        records = await self._legs.records(leg.leg_id, number, first=0, last=len(segment))
        history = await self._legs.outcomes(leg.leg_id, number)
        people = await self._directory.get_many(segment.ordinals.tolist())
        if None in people and not await self._directory.epoch():
            raise StoreUnavailable("the directory is being restored; the archive would not know the names")

        def write() -> None:
            names = recipient_ids(people)
            named = NamedSegment(segment.ordinals, segment.slots, segment.variants, number, tuple(names))
            piece = Piece(named, records, history)
            writer.add(leg.leg_id, piece, _gently(rows(leg, piece, channels)))

        await asyncio.to_thread(write)

    async def _header(self, stored: StoredAlert, legs: Sequence[Leg]) -> Header:
        channels = orjson.dumps(await self._legs.channels()).decode()
        return Header(
            alert_id=stored["id"],
            archived_ms=self._ms(),
            node=self._node,
            facts=stored.facts,
            raw=stored.raw,
            legs=[ArchivedLeg(leg.leg_id, {**leg.facts, "channels": channels}, leg.cursor.pack()) for leg in legs],
        )

    async def _retire(self, stored: StoredAlert, legs: Sequence[Leg]) -> bool:
        keep = note_seconds(stored, nodes=await self._way.nodes(), now_ms=self._ms(), most=KEEP)
        going = Going(alert=stored, legs=legs, token=self._token, node=self._node, keep=keep)
        word = await self._way.retire(going)
        if word in ("gone", "unknown"):
            await asyncio.to_thread(self._archive.gone, stored["id"])
            await self._way.purge()
            log.info("archived", alert=stored["id"], deliveries=sum(leg.cursor.total for leg in legs))
            return True
        if word == "lost":
            await asyncio.to_thread(self._archive.discard, stored["id"])
        # Changed: a receipt came while it was written. Redis has the newer truth, and the next look writes it again.
        log.info("archive_again", alert=stored["id"], why=word)
        return False

    def _ms(self) -> int:
        return int(self._clock.time() * 1000)


def _gently(found: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield rows, and rest now and then: this thread and those who answer posts take turns with the interpreter."""
    for number, row in enumerate(found, start=1):
        yield row
        if number % _ROWS == 0:
            time.sleep(_BREATH)
