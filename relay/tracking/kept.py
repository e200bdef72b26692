"""Alerts, legs and records wherever they are: in Redis, or in the archive of the node that this process runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import structlog

from relay.clock import Clock
from relay.errors import StoreFull, StoreUnavailable
from relay.fanout.segment import Segment
from relay.store.alerts import Alerts, Known, Remembered, StoredAlert
from relay.store.chunks import Chunks
from relay.store.connection import Connection
from relay.store.legs import Leg, Legs
from relay.store.new_alert import NewAlert
from relay.store.partitions import Keys
from relay.store.retire import Retiring
from relay.store.room import Room
from relay.tracking.archive import Archive
from relay.tracking.bring_back import Recall
from relay.tracking.recent_legs import FindsLegs
from relay.tracking.states import RECORD_BYTES, Record
from relay.tracking.writes import Place, Writes

log = structlog.get_logger()
P = ParamSpec("P")
T = TypeVar("T")

#: Bytes of an alert apart from its text.
_ALERT = 2_000
_REFERS = frozenset({"Cancel", "Update"})


async def read(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Ask the archive in a thread.

    Raises:
        StoreUnavailable: a file cannot be read now.
    """
    try:
        return await asyncio.to_thread(call, *args, **kwargs)
    except (OSError, ValueError) as error:
        log.exception("archive_unreadable")
        raise StoreUnavailable("the archive cannot be read") from error


class KeptAlerts(Alerts):
    """The alerts of all partitions, archived ones among them."""

    def __init__(
        self, connection: Connection, keys: Keys, archive: Archive, recall: Recall, ways: Sequence[Retiring], room: Room
    ) -> None:
        super().__init__(connection, keys)
        self._room = room
        self._archive = archive
        self._recall = recall
        self._ways = ways

    async def look_up(self, *, k0: str, k1: str, alert_id: str, sender: str = "") -> Known:
        """Return what is known of these bytes, this triple and this id."""
        known = await super().look_up(k0=k0, k1=k1, alert_id=alert_id, sender=sender)
        living = self._archive.living.get(alert_id)
        return Known(known.by_bytes, known.by_triple, living.k2) if living is not None and not known.k2 else known

    async def accept(self, new: NewAlert) -> Remembered:
        """Remember an alert, once; what is in the archive stays there, whatever the journal tells after a loss.

        What a Cancel or Update refers to comes back from the archive first.

        Raises:
            StoreFull: what room is left is for more urgent news.
            StoreUnavailable: Redis is away; asking again is harmless.
        """
        kept = await self._archived(new)
        if kept is not None:
            if new.msg_type in _REFERS:
                for way in self._ways:
                    await way.refer(kept)
            same = bool(kept["k2"]) and new.k2.endswith(kept["k2"])
            return Remembered("same" if same else "conflict", kept["state"], ())
        space = await self._room.look(self.keys.of_sender(new.fields.get("sender", "")))
        if not space.admits(len(new.raw) + _ALERT, klass=new.klass):
            raise StoreFull("what is left is for P0 and P1")
        if new.msg_type in _REFERS and new.referenced and not await super().state(new.alert_id):
            await self._recall.chain(new.referenced, since_ms=new.received_ms)
        return await super().accept(new)

    async def _archived(self, new: NewAlert) -> StoredAlert | None:
        # The usual new alert costs a look into a dictionary; one that was told before may be long over.
        if new.alert_id not in self._archive.living and not new.fields.get("again"):
            return None
        kept = await read(self._archive.find, new.alert_id)
        return None if kept is None or await super().state(new.alert_id) else kept

    async def decide(
        self, alert: StoredAlert, *, decision: str, by: str, reason: str, now_ms: int, node: str, number: int
    ) -> str:
        """Approve or reject a held alert; one that is archived was decided before."""
        if not await super().state(alert["id"]) and (kept := await read(self._archive.find, alert["id"])) is not None:
            return kept["state"]
        return await super().decide(
            alert, decision=decision, by=by, reason=reason, now_ms=now_ms, node=node, number=number
        )

    async def get(self, alert_id: str, *, with_raw: bool = True) -> StoredAlert | None:
        """Return one alert, or None; what is archived on another node has no bytes here, and says where it is."""
        away: StoreUnavailable | None = None
        found = None
        try:
            found = await super().get(alert_id, with_raw=with_raw)
        except StoreUnavailable as error:
            away = error
        if found is not None and not found["archived"]:
            return found
        kept = await read(self._archive.find, alert_id, with_raw=with_raw)
        if kept is None and away is not None:
            raise away
        return kept or found

    async def state(self, alert_id: str) -> str:
        """Return the alert's state, empty when it is not known."""
        known = await super().state(alert_id)
        if known:
            return known
        kept = await read(self._archive.find, alert_id)
        return kept["state"] if kept is not None else ""

    async def by_triples(self, digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the alert ids of each k1 digest."""
        known = await super().by_triples(digests)
        return {k1: tuple(sorted({*ids, *await read(self._archive.by_triple, k1)})) for k1, ids in known.items()}

    async def referrers(self, k1: str) -> list[tuple[str, str]]:
        """Return (msgType, alert id) of what refers to a triple."""
        known = await super().referrers(k1)
        return sorted({*known, *await read(self._archive.referrers, k1)}) if k1 else known

    async def page(self, *, before: str, limit: int) -> tuple[list[StoredAlert], str]:
        """Return up to ``limit`` alerts, newest first, from the cursor ``before`` on, and the next cursor."""
        live, more = await super().page(before=before, limit=limit)
        ms, _, last = before.partition("-")
        old = await read(self._archive.page, before=(int(ms), last) if before else None, limit=limit + 1)
        known = {alert["id"] for alert in live}
        both = sorted([*live, *(alert for alert in old if alert["id"] not in known)], key=_order, reverse=True)
        page = both[:limit]
        further = bool(page) and (bool(more) or len(both) > limit)
        return page, f"{page[-1]['received']}-{page[-1]['id']}" if further else ""


class KeptLegs(Legs):
    """The legs of all partitions, archived ones among them."""

    def __init__(self, connection: Connection, keys: Keys, archive: Archive) -> None:
        super().__init__(connection, keys)
        self._archive = archive

    async def get_many(self, leg_ids: Sequence[str]) -> list[Leg | None]:
        """Return legs by id, None for what is not known."""
        away: StoreUnavailable | None = None
        found: list[Leg | None] = [None] * len(leg_ids)
        try:
            found = await super().get_many(leg_ids)
        except StoreUnavailable as error:
            away = error
        missing = [leg_id for leg_id, leg in zip(leg_ids, found, strict=True) if leg is None]
        if missing:
            kept = await read(self._archive.legs, missing)
            if away is not None and kept.keys() != set(missing):
                raise away
            found = [leg or kept.get(leg_id) for leg_id, leg in zip(leg_ids, found, strict=True)]
        return found

    async def segment(self, leg_id: str, number: int) -> Segment | None:
        """Return one segment, or None."""
        found = await super().segment(leg_id, number)
        if found is None and (kept := await read(self._archive.segment, leg_id, number)) is not None:
            return kept.segment
        return found

    async def records(self, leg_id: str, number: int, *, first: int, last: int) -> bytes:
        """Return the records of positions ``first`` to ``last`` (exclusive); zeros where none was written."""
        found = await super().records(leg_id, number, first=first, last=last)
        if not any(found) and (kept := await read(self._archive.segment, leg_id, number)) is not None:
            return kept.records[first * RECORD_BYTES : last * RECORD_BYTES]
        return found

    async def outcomes(self, leg_id: str, number: int) -> bytes:
        """Return the outcome log of a segment."""
        found = await super().outcomes(leg_id, number)
        if not found and (kept := await read(self._archive.segment, leg_id, number)) is not None:
            return kept.log
        return found


class KeptWrites(Writes):
    """Single records, written to Redis, or beside the archived alert they belong to."""

    def __init__(self, legs: FindsLegs, chunks: Chunks, archive: Archive, *, clock: Clock) -> None:
        super().__init__(legs, chunks)
        self._archive = archive
        self._clock = clock

    async def write(self, place: Place, record: Record) -> bool:
        """Merge ``record``; False when the leg has gone and is not in this archive either."""
        if await super().write(place, record):
            return True
        at = int(self._clock.time() * 1000)
        return await read(self._archive.late, place.ref.leg_id, place.ref.rank, record, at_ms=at)


def _order(alert: StoredAlert) -> tuple[int, str]:
    return alert.number("received"), alert["id"]
