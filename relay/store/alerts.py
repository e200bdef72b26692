"""Alerts in Redis: remembered once, found by id and by triple, decided, listed, stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.store.alert_fields import digest_end, from_fields, to_fields
from relay.store.copies import Copies
from relay.store.keys import Partition
from relay.store.memories import Memories
from relay.store.new_alert import NewAlert
from relay.store.partitions import home_of
from relay.store.plan_jobs import PLAN_LANE, PlanJobs, plan_score

#: How long the dedup keys and the alert itself stay, in seconds.
KEEP = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer of :meth:`Alerts.accept`: ``verdict`` is new, same or conflict; ``others`` share the triple.

    ``copies`` counts this node's journal and the replicas that have it.
    """

    verdict: str
    state: str
    others: tuple[str, ...]
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Known:
    """What Redis knows before an alert is journalled: ids by raw bytes and by triple, and the end of k2 by id."""

    by_bytes: str
    by_triple: tuple[str, ...]
    k2: str


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """One alert as Redis holds it; ``facts`` are the hash's text fields, ``raw`` the original bytes."""

    facts: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""

    def __getitem__(self, name: str) -> str:
        """Return a field, empty when absent."""
        return self.facts.get(name, "")

    def number(self, name: str) -> int:
        """Return a field as a number, 0 when absent."""
        return int(float(self.facts.get(name) or 0))

    @property
    def klass(self) -> Class:
        """The alert's class."""
        return Class(self.facts["class"])

    @property
    def legs(self) -> list[str]:
        """The ids of its legs, in the order of their rounds."""
        return [leg for leg in self["legs"].split(",") if leg]


class Alerts(PlanJobs):
    """Alerts, and the jobs to plan them; ``copies`` says how many servers are to have what people are answered."""

    copies = Copies(1)

    async def look_up(self, *, k0: str, k1: str, alert_id: str, sender: str = "") -> Known:
        """Return what is known of these bytes, this triple and this id.

        Raises:
            StoreUnavailable: Redis is away.
        """
        keys = self.keys.of_sender(sender)
        names = [keys.triple(k1), keys.alert(alert_id), keys.k0(k0), keys.k1(k1)]
        by_bytes, k2, *triple = await self._redis.run("look_up", names, [digest_end(k0)])
        return Known(_text(by_bytes), tuple(sorted({_text(t) for t in triple})), _text(k2))

    async def accept(self, new: NewAlert) -> Remembered:
        """Remember an alert, once.

        Raises:
            StoreUnavailable: Redis is away; the alert may or may not be remembered, and asking again is harmless.
        """
        keys = self.keys.of_sender(new.fields.get("sender", ""))
        if new.state == "accepted":
            # First: whoever plans this one must find what it silences, and what comes later must find it.
            await self._refer(keys, new.referenced, new.fields, f"{new.msg_type} {new.alert_id}")
        names = [
            keys.alert(new.alert_id),
            keys.triple(new.k1),
            keys.k1(new.k1),
            keys.referrers(new.k1),
            keys.marks,
            keys.plan,
            keys.bell(PLAN_LANE),
            keys.alerts,
            keys.decisions,
            *(keys.referrers(k1) for k1 in new.referenced),
        ]
        args: list[str | bytes | int] = [
            new.alert_id,
            digest_end(new.k2),
            new.node,
            new.number,
            new.state,
            new.msg_type,
            plan_score(new.klass, new.received_ms),
            new.received_ms,
            KEEP,
            digest_end(new.k0),
            new.memory.run,
            new.memory.name,
            *to_fields(new.facts, new.raw),
        ]
        (verdict, state, *others), copies = await self.copies.run(self._redis, "accept", names, args)
        if verdict == b"lost":
            raise StoreUnavailable("Redis lost what it was told, while it was told again")
        self.keys.settled(new.alert_id, keys)
        if new.state == "held" and state == b"accepted":
            await self._refer(keys, new.referenced, new.fields, f"{new.msg_type} {new.alert_id}")
        return Remembered(_text(verdict), _text(state), tuple(_text(other) for other in others), copies)

    async def decide(
        self, alert: StoredAlert, *, decision: str, by: str, reason: str, now_ms: int, node: str, number: int
    ) -> str:
        """Approve or reject a held alert; returns the state afterwards, ``unknown`` when the alert has not come yet.

        A word that comes before its alert waits in every partition, for nobody knows the sender yet.
        """
        alert_id, state = alert["id"], "unknown"
        home = await home_of(self._redis, self.keys, alert_id)
        if decision == "approve":
            referenced = alert["referenced"].split()
            await self._refer(home, referenced, alert.facts, f"{alert['msgType']} {alert_id}")
        said = (decision, by, reason, now_ms)
        for keys in self.keys.all if self.keys.home(alert_id) is None else (home,):
            state = await self._decide(keys, alert, said, node, number)
        return state

    async def _decide(
        self, keys: Partition, alert: StoredAlert, said: tuple[str, str, str, int], node: str, number: int
    ) -> str:
        alert_id = alert["id"]
        names = [
            keys.alert(alert_id),
            keys.decisions,
            keys.plan,
            keys.bell(PLAN_LANE),
            keys.marks,
            *(keys.referrers(k1) for k1 in alert["referenced"].split()),
        ]
        klass = Class(alert["class"]) if alert["class"] else Class.P2
        score = plan_score(klass, alert.number("received"))
        args: list[str | int] = [alert_id, *said, score, alert["msgType"], node, number, KEEP]
        reply, _ = await self.copies.run(self._redis, "decide", names, args)
        return _text(reply)

    async def _refer(self, home: Partition, referenced: Sequence[str], facts: Mapping[str, str], who: str) -> None:
        """Note a Cancel or Update where the alerts of other senders are; those of its own are the script's business."""
        senders = facts.get("referenced_from", "").split()
        abroad: dict[Partition, list[str]] = {}
        for k1, sender in zip(referenced, senders, strict=False):
            keys = self.keys.of_sender(unquote(sender))
            if keys != home:
                abroad.setdefault(keys, []).append(keys.referrers(k1))
        for names in abroad.values():
            await self._redis.run("refer", names, [who, KEEP])

    async def get(self, alert_id: str, *, with_raw: bool = True) -> StoredAlert | None:
        """Return one alert, or None."""
        return (await self.get_many([alert_id], with_raw=with_raw))[0]

    async def get_many(self, alert_ids: Sequence[str], *, with_raw: bool = True) -> list[StoredAlert | None]:
        """Return alerts by id, None for what is not known."""
        homes = [(await home_of(self._redis, self.keys, alert_id), alert_id) for alert_id in alert_ids]
        rows = await self._redis.pipe([("HGETALL", home.alert(alert_id)) for home, alert_id in homes])
        found = zip(alert_ids, rows, strict=True)
        return [stored_alert(i, row, with_raw=with_raw) if row else None for i, row in found]

    async def state(self, alert_id: str) -> str:
        """Return the alert's state, empty when it is not known."""
        keys = await home_of(self._redis, self.keys, alert_id)
        return _text(await self._redis.call("HGET", keys.alert(alert_id), "state"))

    async def by_triples(self, digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the alert ids of each k1 digest."""
        asked = [(k1, keys) for k1 in digests for keys in self.keys.all]
        commands = [c for k1, keys in asked for c in (("GET", keys.triple(k1)), ("SMEMBERS", keys.k1(k1)))]
        replies = await self._redis.pipe(commands)
        found: dict[str, set[str]] = {k1: set() for k1 in digests}
        for (k1, _), text, ids in zip(asked, replies[::2], replies[1::2], strict=True):
            found[k1].update(line.partition("\t")[0] for line in _text(text).split("\n") if line)
            found[k1].update(map(_text, ids))
        return {k1: tuple(sorted(ids)) for k1, ids in found.items()}

    async def referrers(self, k1: str) -> list[tuple[str, str]]:
        """Return (msgType, alert id) of what refers to a triple."""
        return (await self.referrers_of_many([k1]))[0]

    async def referrers_of_many(self, digests: Sequence[str]) -> list[list[tuple[str, str]]]:
        """Return, for each triple, (msgType, alert id) of what refers to it."""
        found = await self._redis.pipe([("SMEMBERS", keys.referrers(k1)) for k1 in digests for keys in self.keys.all])
        words: list[set[tuple[str, str]]] = [set() for _ in digests]
        for number, items in enumerate(found):
            words[number // len(self.keys.all)].update((k, by) for k, _, by in (_text(i).partition(" ") for i in items))
        return [sorted(said) for said in words]

    async def page(self, *, before: str, limit: int) -> tuple[list[StoredAlert], str]:
        """Return up to ``limit`` alerts, newest first, from the cursor ``before`` on, and the next cursor.

        A cursor is ``<received ms>-<alert id>``; empty starts at the newest and ends the list.
        """
        top, _, last = before.partition("-")
        down = (top or "+inf", "-inf", "BYSCORE", "REV", "LIMIT", 0, limit + 64, "WITHSCORES")
        found = await self._redis.pipe([("ZRANGE", keys.alerts, *down) for keys in self.keys.all])
        homes = {_text(m): keys for keys, part in zip(self.keys.all, found, strict=True) for m, _ in _pairs(part)}
        pairs = [(_text(m), int(float(s))) for part in found for m, s in _pairs(part)]
        pairs.sort(key=lambda pair: (pair[1], pair[0]), reverse=True)
        if last:
            # By order, not by place: the alert that the cursor names may be archived by now.
            pairs = [(m, s) for m, s in pairs if (s, m) < (int(top), last)]
        more, pairs = len(pairs) > limit, pairs[:limit]
        rows = await self._redis.pipe([("HGETALL", homes[alert_id].alert(alert_id)) for alert_id, _ in pairs])
        found_rows = zip(pairs, rows, strict=True)
        stored = [stored_alert(alert_id, row, with_raw=False) for (alert_id, _), row in found_rows if row]
        cursor = f"{pairs[-1][1]}-{pairs[-1][0]}" if more and pairs else ""
        return stored, cursor

    async def fenced(self) -> bool:
        """Whether another server run answers and workers may still be telling it what the old one forgot."""
        return await Memories(self._redis, self.keys).fenced()

    async def stop(self, alert: StoredAlert, *, state: str, cause: str) -> str:
        """Stop what still waits; ``state`` is ``cancelled`` or ``superseded``, ``cause`` the alert that says so."""
        flag = 1 if state == "cancelled" else 2
        keys = await home_of(self._redis, self.keys, alert["id"])
        names = [keys.legs, keys.alert(alert["id"]), keys.checks]
        return _text(await self._redis.run("stop", names, [state, f"{state}_by", cause, flag, *alert.legs]))


def stored_alert(alert_id: str, row: Any, *, with_raw: bool) -> StoredAlert:  # noqa: ANN401 -- as the client parses it
    """Return an alert from what ``HGETALL`` says of its hash: a mapping or a flat list."""
    pairs = row.items() if isinstance(row, dict) else zip(row[::2], row[1::2], strict=True)
    return StoredAlert(*from_fields(alert_id, pairs, with_raw=with_raw))


def _pairs(found: Any) -> list[tuple[bytes, float]]:  # noqa: ANN401 -- flat or paired, as the client parses it
    if found and not isinstance(found[0], list | tuple):
        return list(zip(found[::2], found[1::2], strict=True))
    return [(member, score) for member, score in found]


def _text(value: bytes | str | None) -> str:
    return value if isinstance(value, str) else (value or b"").decode()
