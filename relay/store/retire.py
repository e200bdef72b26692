"""Finished alerts leave Redis, and come back when a Cancel or an Update refers to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.store.alert_fields import digest_end, to_fields, without_raw
from relay.store.alerts import KEEP, StoredAlert, stored_alert
from relay.store.connection import Connection
from relay.store.keys import Partition
from relay.store.legs import Leg

#: What must not have changed between reading an alert and taking it out; ``lua/retire.lua`` compares the same.
_FINGERPRINT = ("state", "legs", "pass", "cancelled_by", "superseded_by", "back")
#: Blobs that are written before the script that makes them known, in seconds.
_STAGED = 600
#: For so long a node's wish to have an alert back is heard, in seconds.
_WANTED = 120
#: So many segments are removed at once; a script that removes more would be felt by those who claim.
_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """An alert that is on disk now, as it was read; ``keep`` seconds a note of it stays, for other nodes (0: none)."""

    alert: StoredAlert
    legs: Sequence[Leg]
    token: str
    node: str
    keep: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """A leg that comes back: ``blobs`` are (segment, records, outcome log) by segment number."""

    leg: Leg
    facts: Mapping[str, str]
    blobs: Mapping[int, tuple[bytes, bytes, bytes]]


class Retiring:
    """The way out of one partition."""

    def __init__(self, connection: Connection, partition: Partition) -> None:
        self._redis = connection
        self.keys = partition

    async def old(self, *, before_ms: int, skip: int, most: int) -> list[StoredAlert]:
        """Return the oldest alerts received before a time, without their original bytes."""
        ids = await self._redis.call(
            "ZRANGE", self.keys.alerts, "-inf", f"({before_ms}", "BYSCORE", "LIMIT", skip, most
        )
        rows = await self._redis.pipe([("HGETALL", self.keys.alert(i.decode())) for i in ids])
        return [stored_alert(i.decode(), row, with_raw=False) for i, row in zip(ids, rows, strict=True)]

    async def unlist(self, alert_id: str) -> None:
        """Take an id from the list of alerts that has no alert behind it."""
        await self._redis.call("ZREM", self.keys.alerts, alert_id)

    async def states(self, alert_ids: Sequence[str]) -> dict[str, StoredAlert]:
        """Return state and end of those alerts that are in Redis, archived ones left out."""
        rows = await self._redis.pipe([("HGETALL", self.keys.alert(i)) for i in alert_ids])
        found = (stored_alert(i, row, with_raw=False) for i, row in zip(alert_ids, rows, strict=True))
        return {alert["id"]: alert for alert in found if alert["state"] and not alert["archived"]}

    async def lease(self, alert_id: str, token: str, *, seconds: float) -> bool:
        """Take or keep the right to archive an alert; False while another has it."""
        names = [self.keys.archiving(alert_id)]
        return bool(await self._redis.run("archive_lease", names, [token, int(seconds * 1000)]))

    async def nodes(self) -> int:
        """Return how many nodes have told this partition of alerts."""
        names = await self._redis.call("HKEYS", self.keys.marks)
        return sum(name.endswith(b":name") for name in names)

    async def retire(self, going: Going) -> str:
        """Take an alert out: ``gone``, ``lost`` (the lease), ``changed`` (read it again), or ``unknown``.

        Raises:
            StoreUnavailable: Redis is away; it may be gone or not, and asking again is harmless.
        """
        keys, alert = self.keys, going.alert
        alert_id = alert["id"]
        referenced = alert["referenced"].split()
        names = [keys.alert(alert_id), keys.k0(alert["k0"]), keys.k1(alert["k1"]), keys.alerts, keys.decisions]
        names += [keys.plan, keys.plan_leases, keys.legs, keys.checks, keys.archiving(alert_id), keys.purge]
        names.append(keys.triple(alert["k1"]))
        names += [keys.referrers(k1) for k1 in referenced]
        said = "|".join(alert[name] for name in _FINGERPRINT)
        args: list[str | bytes | int] = [alert_id, going.token, said, alert["msgType"], going.keep, going.node]
        args += [len(referenced), len(going.legs)]
        for leg in going.legs:
            segments = len(leg.cursor.sizes)
            later = segments if segments > _AT_ONCE else 0
            own = [keys.leg(leg.leg_id), keys.ready(leg.lane, leg.cursor.klass)]
            own += [key for n in range(0 if later else segments) for key in self._blob_keys(leg.leg_id, n)]
            names += own
            args += [leg.leg_id, leg.facts.get("late", ""), len(own), later]
        args += without_raw(alert.facts) if going.keep else []
        return str((await self._redis.run("retire", names, args)).decode())

    async def want(self, alert_id: str) -> None:
        """Ask the node that archived an alert to bring it back."""
        await self._redis.pipe([("SADD", self.keys.wanted, alert_id), ("EXPIRE", self.keys.wanted, _WANTED)])

    async def wanted(self) -> list[str]:
        """Return the alerts that some node needs back."""
        return sorted(i.decode() for i in await self._redis.call("SMEMBERS", self.keys.wanted))

    async def unwant(self, alert_id: str) -> None:
        """An alert came back, or need not any more."""
        await self._redis.call("SREM", self.keys.wanted, alert_id)

    async def purge(self) -> int:
        """Remove the blobs of large legs that were taken out, some at a time; returns how many legs they were of.

        A leg that came back meanwhile keeps them; one that is just coming back writes them again.

        Raises:
            StoreUnavailable: Redis is away; what is left is removed the next time.
        """
        done = 0
        while entry := await self._redis.call("LINDEX", self.keys.purge, 0):
            leg_id, _, segments = entry.decode().partition(" ")
            for start in range(0, int(segments), _AT_ONCE):
                numbers = range(start, min(start + _AT_ONCE, int(segments)))
                blobs = [key for number in numbers for key in self._blob_keys(leg_id, number)]
                await self._redis.run("purge", [self.keys.legs, *blobs], [leg_id])
            await self._redis.call("LREM", self.keys.purge, 1, entry)
            done += 1
        return done

    async def refer(self, alert: StoredAlert) -> None:
        """Let a Cancel or Update that is archived silence what it refers to, should that come later."""
        commands: list[tuple[str | int, ...]] = []
        for k1 in alert["referenced"].split():
            key = self.keys.referrers(k1)
            commands += [("SADD", key, f"{alert['msgType']} {alert['id']}"), ("EXPIRE", key, KEEP)]
        await self._redis.pipe(commands)

    async def stage(self, leg_id: str, number: int, blobs: tuple[bytes, bytes, bytes]) -> None:
        """Write one segment of a leg that comes back; it goes by itself if the leg never does."""
        named = zip(self._blob_keys(leg_id, number), blobs, strict=True)
        await self._redis.pipe([("SET", key, data, "EX", _STAGED) for key, data in named if data])

    async def bring_back(self, alert: StoredAlert, legs: Sequence[Back]) -> str:
        """Make an archived alert known again, its segments being staged: ``back``, ``known`` or ``lost``."""
        keys, alert_id = self.keys, alert["id"]
        names = [keys.alert(alert_id), keys.triple(alert["k1"]), keys.alerts, keys.legs]
        fields = to_fields({**alert.facts, "k2": digest_end(alert["k2"])}, alert.raw)
        args: list[str | bytes | int] = [alert_id, alert.number("received"), KEEP, digest_end(alert["k0"])]
        args += [len(fields), *fields, len(legs)]
        for back in legs:
            leg_id = back.leg.leg_id
            own = [keys.leg(leg_id)]
            for number, blobs in back.blobs.items():
                own += [k for k, data in zip(self._blob_keys(leg_id, number), blobs, strict=True) if data]
            pairs = [part for pair in back.facts.items() for part in pair]
            names += own
            args += [leg_id, back.leg.cursor.pack(), len(own), len(pairs), *pairs]
        return str((await self._redis.run("bring_back", names, args)).decode())

    def _blob_keys(self, leg_id: str, number: int) -> tuple[str, str, str]:
        keys = self.keys
        return keys.segment(leg_id, number), keys.records(leg_id, number), keys.outcomes(leg_id, number)
