"""Alerts in Redis: remembered once, found by id and by triple, decided, listed, stopped."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relay.adapter import Class
from relay.store.connection import Connection
from relay.store.keys import CLASSES, Partition

#: How long the dedup keys and the alert itself stay, in seconds.
KEEP = 7 * 24 * 3600

PLAN_LANE = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """What intake asks Redis to remember.

    ``received_ms`` and ``expires_ms`` are milliseconds since the epoch; ``referenced`` are the k1 digests of the
    triples in ``references``; ``fields`` are further hash fields as text (see ``relay.intake.accept``).
    """

    alert_id: str
    k0: str
    k1: str
    k2: str
    node: str
    number: int
    state: str
    reason: str
    msg_type: str
    klass: Class
    received_ms: int
    expires_ms: int
    referenced: Sequence[str]
    raw: bytes
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer of :meth:`Alerts.accept`: ``verdict`` is new, same or conflict; ``others`` share the triple."""

    verdict: str
    state: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What Redis knows before an alert is journalled: ids by raw bytes and by triple, and k2 by id."""

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


@dataclass(frozen=True, slots=True)
class Memory:
    """Whose memory it is: a server run, and a name that is lost when the store is emptied."""

    run: str
    name: str


def plan_score(klass: Class, received_ms: int) -> int:
    """Return the score of a plan job: strict classes, then oldest first."""
    return CLASSES.index(klass) * 2**42 + received_ms


class Alerts:
    """The alerts of one partition."""

    def __init__(self, connection: Connection, partition: Partition) -> None:
        self._redis = connection
        self.keys = partition

    async def look_up(self, *, k0: str, k1: str, alert_id: str) -> Known:
        """Return what is known of these bytes, this triple and this id.

        Raises:
            StoreUnavailable: Redis is away.
        """
        by_bytes, triple, k2 = await self._redis.pipe(
            [
                ("GET", self.keys.k0(k0)),
                ("SMEMBERS", self.keys.k1(k1)),
                ("HGET", self.keys.alert(alert_id), "k2"),
            ]
        )
        return Known(_text(by_bytes), tuple(sorted(_text(t) for t in triple)), _text(k2))

    async def accept(self, new: NewAlert) -> Remembered:
        """Remember an alert, once.

        Raises:
            StoreUnavailable: Redis is away; the alert may or may not be remembered, and asking again is harmless.
        """
        keys = self.keys
        names = [
            keys.alert(new.alert_id),
            keys.k0(new.k0),
            keys.k1(new.k1),
            keys.referrers(new.k1),
            keys.marks,
            keys.plan,
            keys.bell(PLAN_LANE),
            keys.alerts,
            keys.decisions,
            *(keys.referrers(k1) for k1 in new.referenced),
        ]
        facts: dict[str, str | bytes] = {
            **new.fields,
            "node": new.node,
            "k0": new.k0,
            "k1": new.k1,
            "msgType": new.msg_type,
            "class": new.klass,
            "reason": new.reason,
            "expires": str(new.expires_ms),
            "raw": zlib.compress(new.raw, 6),
        }
        args: list[str | bytes | int] = [
            new.alert_id,
            new.k2,
            new.node,
            new.number,
            new.state,
            new.msg_type,
            plan_score(new.klass, new.received_ms),
            new.received_ms,
            KEEP,
        ]
        for name, value in facts.items():
            args += [name, value]
        verdict, state, *others = await self._redis.run("accept", names, args)
        return Remembered(_text(verdict), _text(state), tuple(_text(other) for other in others))

    async def decide(
        self, alert: StoredAlert, *, decision: str, by: str, reason: str, now_ms: int, node: str, number: int
    ) -> str:
        """Approve or reject a held alert; returns the state afterwards, ``unknown`` when the alert has not come yet."""
        keys, alert_id = self.keys, alert["id"]
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
        args: list[str | int] = [alert_id, decision, by, reason, now_ms, score, alert["msgType"], node, number, KEEP]
        return _text(await self._redis.run("decide", names, args))

    async def get(self, alert_id: str, *, with_raw: bool = True) -> StoredAlert | None:
        """Return one alert, or None."""
        raw = await self._redis.call("HGETALL", self.keys.alert(alert_id))
        if not raw:
            return None
        return _stored(raw, with_raw=with_raw)

    async def state(self, alert_id: str) -> str:
        """Return the alert's state, empty when it is not known."""
        return _text(await self._redis.call("HGET", self.keys.alert(alert_id), "state"))

    async def by_triples(self, digests: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the alert ids of each k1 digest."""
        replies = await self._redis.pipe([("SMEMBERS", self.keys.k1(k1)) for k1 in digests])
        return {k1: tuple(sorted(_text(i) for i in ids)) for k1, ids in zip(digests, replies, strict=True)}

    async def referrers(self, k1: str) -> list[tuple[str, str]]:
        """Return (msgType, alert id) of what refers to a triple."""
        found = await self._redis.call("SMEMBERS", self.keys.referrers(k1))
        pairs = (_text(item).partition(" ") for item in found)
        return sorted((kind, alert_id) for kind, _, alert_id in pairs)

    async def page(self, *, before: str, limit: int) -> tuple[list[StoredAlert], str]:
        """Return up to ``limit`` alerts, newest first, from the cursor ``before`` on, and the next cursor.

        A cursor is ``<received ms>-<alert id>``; empty starts at the newest and ends the list.
        """
        top, _, last = before.partition("-")
        found = await self._redis.call(
            "ZRANGE", self.keys.alerts, top or "+inf", "-inf", "BYSCORE", "REV", "LIMIT", 0, limit + 64, "WITHSCORES"
        )
        pairs = [(_text(m), int(float(s))) for m, s in _pairs(found)]
        if last:
            # By order, not by place: the alert that the cursor names may be archived by now.
            pairs = [(m, s) for m, s in pairs if (s, m) < (int(top), last)]
        more = len(pairs) > limit
        pairs = pairs[:limit]
        rows = await self._redis.pipe([("HGETALL", self.keys.alert(alert_id)) for alert_id, _ in pairs])
        stored = [_stored(row, with_raw=False) for row in rows if row]
        cursor = f"{pairs[-1][1]}-{pairs[-1][0]}" if more and pairs else ""
        return stored, cursor

    async def stop(self, alert: StoredAlert, *, state: str, cause: str) -> str:
        """Stop what still waits; ``state`` is ``cancelled`` or ``superseded``, ``cause`` the alert that says so."""
        flag = 1 if state == "cancelled" else 2
        names = [self.keys.legs, self.keys.alert(alert["id"]), self.keys.checks]
        return _text(await self._redis.run("stop", names, [state, f"{state}_by", cause, flag, *alert.legs]))

    async def take_plan(self, *, lease_ms: int) -> tuple[str, int]:
        """Lease the most urgent plan job: (alert id, 0), or ("", milliseconds until something may be due)."""
        alert_id, wait = await self._redis.run("plan_take", [self.keys.plan, self.keys.plan_leases], [lease_ms])
        return _text(alert_id), int(wait)

    async def hold(self, alert_id: str, *, reason: str) -> None:
        """Turn an accepted alert into a held one (the plan found that it needs a person's word)."""
        await self._redis.run("hold", [self.keys.alert(alert_id), self.keys.plan_leases], [alert_id, reason])

    async def drop_plan(self, alert_id: str) -> None:
        """Forget a plan job that has nothing to do."""
        await self._redis.call("ZREM", self.keys.plan_leases, alert_id)

    async def put_off_plan(self, alert_id: str, *, until_ms: int) -> None:
        """Look at a plan job again at ``until_ms``."""
        await self._redis.call("ZADD", self.keys.plan_leases, until_ms, alert_id)

    async def fenced(self) -> bool:
        """Whether another server run answers and workers may still be telling it what the old one forgot."""
        run, info = await self._redis.pipe([("HGET", self.keys.run, "id"), ("INFO", "server")])
        return bool(run) and _text(run) != _run_of(info)

    async def memory(self, node: str) -> Memory:
        """Return which server run answers, and the name that ``node`` gave its memory; empty when that is gone."""
        info, name = await self._redis.pipe([("INFO", "server"), ("HGET", self.keys.marks, f"{node}:name")])
        return Memory(_run_of(info), _text(name))

    async def name_memory(self, node: str, name: str) -> None:
        """Name the memory, so that its loss can be seen."""
        await self._redis.call("HSET", self.keys.marks, f"{node}:name", name)


def _stored(row: Any, *, with_raw: bool) -> StoredAlert:  # noqa: ANN401 -- a mapping or a flat list, as the client parses it
    pairs = row.items() if isinstance(row, dict) else zip(row[::2], row[1::2], strict=True)
    facts, raw = {}, b""
    for name, value in pairs:
        if name == b"raw":
            raw = zlib.decompress(value) if with_raw else b""
        else:
            facts[name.decode()] = value.decode()
    return StoredAlert(facts, raw)


def _pairs(found: Any) -> list[tuple[bytes, float]]:  # noqa: ANN401 -- flat or paired, as the client parses it
    if found and not isinstance(found[0], list | tuple):
        return list(zip(found[::2], found[1::2], strict=True))
    return [(member, score) for member, score in found]


def _run_of(info: Any) -> str:  # noqa: ANN401 -- a mapping or text, as the client parses it
    return info["run_id"] if isinstance(info, dict) else _text(info).partition("run_id:")[2].partition("\r")[0]


def _text(value: bytes | str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else value.decode()
