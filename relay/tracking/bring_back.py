"""Bringing back: archived alerts return to Redis when a Cancel or an Update refers to them: it needs their audience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import orjson
import structlog

from relay.clock import Clock
from relay.errors import StoreFull, StoreUnavailable
from relay.process import pause
from relay.store.alerts import Alerts, StoredAlert
from relay.store.legs import Legs
from relay.store.retire import Back, Retiring
from relay.tracking.archive import Archive
from relay.tracking.archive_file import Header, leg_from
from relay.tracking.states import RECORD_BYTES

log = structlog.get_logger()

#: As far as a chain of Updates is followed.
_CHAIN = 50
_TRIES = 3
_PATIENCE_MS = 60_000
_OFTEN, _SELDOM = 2.0, 60.0
_CHANNEL = 3  # the byte of a record that names its channel


class Recall:
    """Brings alerts back from this node's archive; ``way_of`` returns the partition of a sender."""

    def __init__(
        self, archive: Archive, way_of: Callable[[str], Retiring], alerts: Alerts, legs: Legs, *, clock: Clock
    ) -> None:
        self._archive = archive
        self._way_of = way_of
        self._alerts = alerts
        self._legs = legs
        self._clock = clock

    async def chain(self, digests: Sequence[str], *, since_ms: int) -> int:
        """Bring back what triples name, and what those had replaced before; returns how many came.

        What another node has archived is asked for, and waited for until a minute after ``since_ms``.

        Raises:
            StoreFull: it is not back yet; ask again.
            StoreUnavailable: Redis is away, or the archive cannot be read; what came stays, and again is harmless.
        """
        waiting, seen, came = list(digests), set[str](), 0
        while waiting and len(seen) < _CHAIN:
            k1 = waiting.pop(0)
            if k1 in seen:
                continue
            seen.add(k1)
            for alert_id in await asyncio.to_thread(self._archive.by_triple, k1):
                came += await self.alert(alert_id)
            for ids in (await self._alerts.by_triples([k1])).values():
                found = [await self._alerts.get(alert_id, with_raw=False) for alert_id in ids]
                elsewhere = [alert for alert in found if alert is not None and alert["archived"]]
                for alert in elsewhere:
                    await self._way_of(alert["sender"]).want(alert["id"])
                # Not for ever: a Cancel that stops what still waits is better than none.
                if elsewhere and self._clock.time() * 1000 < since_ms + _PATIENCE_MS:
                    raise StoreFull("what this refers to is in the archive of another node")
                waiting += [further for alert in found if alert is not None for further in alert["referenced"].split()]
        return came

    async def alert(self, alert_id: str) -> bool:
        """Bring one alert back, unless Redis has it.

        Raises:
            StoreUnavailable: as for :meth:`chain`.
        """
        for _ in range(_TRIES):
            try:
                header = await asyncio.to_thread(self._archive.header, alert_id)
                if header is None:
                    return False
                way = self._way_of(header.facts["sender"])
                word = "known" if alert_id in await way.states([alert_id]) else await self._bring(way, header)
            except (OSError, ValueError) as error:
                log.exception("archive_unreadable", alert=alert_id)
                raise StoreUnavailable("an archived alert cannot be read") from error
            if word != "lost":
                log.info("brought_back", alert=alert_id, word=word)
                return word == "back"
        raise StoreUnavailable("segments that were written are not in Redis")

    async def _bring(self, way: Retiring, header: Header) -> str:
        backs = []
        for archived in header.legs:
            leg = leg_from(archived)
            channels = orjson.loads(archived.facts.get("channels") or b"{}")
            table = await self._table(channels)
            blobs: dict[int, tuple[bytes, bytes, bytes]] = {}
            for number in range(len(leg.cursor.sizes)):
                found = await asyncio.to_thread(self._archive.segment, leg.leg_id, number)
                if found is None:
                    continue
                records = found.records if any(found.records) else b""
                whole = (found.segment.pack(), renumbered(records, table), found.log)
                await way.stage(leg.leg_id, number, whole)
                # Which of them were written is all that the last step needs to know.
                blobs[number] = (whole[0][:1], whole[1][:1], whole[2][:1])
            facts = {name: value for name, value in archived.facts.items() if name != "channels"}
            backs.append(Back(leg=leg, facts=facts, blobs=blobs))
        now = str(int(self._clock.time() * 1000))
        alert = StoredAlert({**header.facts, "back": now}, header.raw)
        return await way.bring_back(alert, backs)

    async def _table(self, channels: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """Return the number that each channel of old has now; Redis may have been lost and have numbered anew."""
        table = np.arange(256, dtype=np.uint8)
        for name, number in channels.items():
            table[number] = await self._legs.channel_index(name)
        return table


class Lending:
    """Brings back what other nodes need of this node's archive."""

    def __init__(self, archive: Archive, recall: Recall, ways: Sequence[Retiring]) -> None:
        self._archive = archive
        self._recall = recall
        self._ways = ways

    async def run(self, stopping: asyncio.Event) -> None:
        """Look every other second until ``stopping``, seldom while there is no other node."""
        while not stopping.is_set():
            try:
                alone = await self.once()
            except StoreUnavailable:
                alone = False
            await pause(stopping, seconds=_SELDOM if alone else _OFTEN)

    async def once(self) -> bool:
        """Bring back what is wanted and here; returns whether this node is the only one.

        Raises:
            StoreUnavailable: Redis is away, or the archive cannot be read.
        """
        alone = True
        for way in self._ways:
            if await way.nodes() > 1:
                alone = False
                for alert_id in await way.wanted():
                    if await asyncio.to_thread(self._archive.find, alert_id) is not None:
                        await self._recall.alert(alert_id)
                        await way.unwant(alert_id)
        return alone


def renumbered(records: bytes, table: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> bytes:
    """Return records that name channels by their numbers of now; 0 is none."""
    found = np.frombuffer(records, np.uint8).reshape(-1, RECORD_BYTES).copy()
    found[:, _CHANNEL] = np.where(found[:, _CHANNEL] == 0, 0, table[found[:, _CHANNEL]])
    return found.tobytes()
