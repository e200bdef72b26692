"""What ``relay doctor`` says of a Redis or Valkey server, from the facts that it gave: pure."""

from __future__ import annotations

from typing import NamedTuple

from relay.commands.checklist import Item, error, ok, remark, warning
from relay.store.doctor import ServerFacts

Version = tuple[int, int, int]

_OLDEST: dict[str, Version] = {"redis": (7, 0, 0), "valkey": (8, 0, 0)}
_SKEW = 2.0
_SLOW = 0.005
_FULL = 0.8
_MAJORITY = 3


class Bad(NamedTuple):
    """Versions from ``first`` up to, without, ``repaired``."""

    family: str
    first: Version
    repaired: Version
    what: str


KNOWN_BAD = (
    Bad("valkey", (9, 0, 0), (9, 0, 3), "CVE-2026-21863, CVE-2026-27623"),
    Bad("valkey", (8, 0, 0), (8, 0, 6), "CVE-2025-49844 (Lua)"),
    Bad("valkey", (8, 1, 0), (8, 1, 4), "CVE-2025-49844 (Lua)"),
    Bad("redis", (7, 0, 0), (7, 2, 11), "CVE-2025-49844 (Lua)"),
    Bad("redis", (7, 4, 0), (7, 4, 6), "CVE-2025-49844 (Lua)"),
    Bad("redis", (8, 0, 0), (8, 0, 4), "CVE-2025-49844 (Lua)"),
    Bad("redis", (8, 2, 0), (8, 2, 2), "CVE-2025-49844 (Lua)"),
    Bad("redis", (7, 2, 0), (8, 6, 3), "CVE-2026-23479 (use after free)"),
    Bad("redis", (7, 4, 0), (7, 4, 3), "WAITAOF answers before the disk has it, under appendfsync everysec"),
)
"""Sources: reference/security.md (SEC-088), reference/libraries.md, reference/durability-and-faults.md (2.2)."""


def server_items(facts: ServerFacts, *, budget: float, private: bool) -> list[Item]:
    """Return what is to be said of a server; ``budget`` is ``redis.accept_budget`` in seconds.

    ``private``: it is the relay's own, on a socket that only this user may enter.
    """
    return [
        *_version(facts),
        *_persistence(facts),
        _memory(facts),
        _latency(facts, budget),
        _clock(facts),
        *_access(facts, private=private),
        *_place(facts),
    ]


def _version(facts: ServerFacts) -> list[Item]:
    oldest = _OLDEST[facts.family]
    if facts.version < oldest:
        return [error("redis version", f"{facts.title} is too old: Redis 7.0 or Valkey 8.0 is the least")]
    bad = [bad.what for bad in KNOWN_BAD if facts.family == bad.family and bad.first <= facts.version < bad.repaired]
    if not bad:
        return [ok("redis version", facts.title)]
    text = f"{facts.title} is known for: {'; '.join(bad)}. Upgrade, unless your distribution has repaired it"
    return [warning("redis version", text)]


def _persistence(facts: ServerFacts) -> list[Item]:
    if facts.loading:
        return [warning("redis persistence", "the server still loads its files")]
    if not facts.aof:
        text = "appendonly is no: after a restart outcomes are lost, and people may be told twice. Set appendonly yes"
        return [warning("redis persistence", text)]
    sync = f"appendfsync {facts.aof_sync or 'unknown'}"
    if facts.aof_write not in ("", "ok"):
        return [error("redis persistence", f"the last write of the append-only file failed ({sync}): look at its disk")]
    items = [ok("redis persistence", f"append-only file, {sync}")]
    if facts.aof_sync == "no":
        items = [warning("redis persistence", "appendfsync is no: set everysec, or always")]
    if facts.has_waitaof is False:
        items.append(remark("redis persistence", "WAITAOF is missing: an import ends under appendfsync always"))
    return items


def _memory(facts: ServerFacts) -> Item:
    used = f"{facts.memory_used / 1e6:,.0f} MB used"
    if facts.eviction not in ("", "noeviction"):
        text = f"maxmemory-policy is {facts.eviction}: the server may throw deliveries away. Set noeviction"
        return error("redis memory", text)
    if not facts.memory_limit:
        return ok("redis memory", f"{used}, no limit, nothing is evicted")
    share = facts.memory_used / facts.memory_limit
    text = f"{used} of {facts.memory_limit / 1e6:,.0f} MB ({share:.0%}), nothing is evicted"
    return warning("redis memory", text) if share > _FULL else ok("redis memory", text)


def _latency(facts: ServerFacts, budget: float) -> Item:
    text = f"{facts.latency_p50 * 1000:.2f} ms, at worst {facts.latency_max * 1000:.2f} ms"
    if facts.latency_max > budget:
        return warning("redis latency", f"{text}: above redis.accept_budget, alerts will be answered as pending")
    return (
        warning("redis latency", f"{text}: it is far away or busy")
        if facts.latency_p50 > _SLOW
        else ok("redis latency", text)
    )


def _clock(facts: ServerFacts) -> Item:
    text = f"Redis is {abs(facts.skew):.2f} s {'ahead' if facts.skew > 0 else 'behind'}"
    if abs(facts.skew) > _SKEW:
        return error("clock", f"{text}: nothing is called expired until both clocks agree (chrony, ntpd)")
    return ok("clock", text)


def _access(facts: ServerFacts, *, private: bool) -> list[Item]:
    if private:
        return [ok("redis access", "a socket in a directory that only this user may enter")]
    if facts.open_to_all:
        text = "anybody who reaches it may do anything: give the default user a password, and the relay its own user"
        return [warning("redis access", text)]
    return [] if facts.open_to_all is None else [ok("redis access", "a password is needed")]


def _place(facts: ServerFacts) -> list[Item]:
    if facts.role not in ("", "master"):
        return [error("redis role", f"it is a {facts.role}: write to the master, or use redis+sentinel://")]
    if facts.kind == "cluster":
        return _cluster(facts)
    if facts.mode == "cluster":
        return [error("redis role", "it is a node of a Cluster: write redis+cluster://host1,host2,host3")]
    role = ok("redis role", f"master, {facts.replicas} replica{'s' if facts.replicas != 1 else ''}")
    return [role, *_silence(facts)] if facts.kind == "sentinel" else [role]


def _cluster(facts: ServerFacts) -> list[Item]:
    items = [ok("redis role", f"a Cluster of {facts.primaries} primaries")]
    if facts.primaries < _MAJORITY:
        items = [warning("redis role", f"{facts.primaries} primaries cannot agree on a successor: three are the least")]
    if facts.bare:
        text = f"nobody takes over from {', '.join(facts.bare)}: give each primary a replica"
        items.append(warning("redis replicas", text))
    return items + _silence(facts)


def _silence(facts: ServerFacts) -> list[Item]:
    """A master that was cut off must fall silent before another takes over: else what it takes then is lost."""
    if facts.min_replicas in ("", "0"):
        text = (
            "min-replicas-to-write is 0: a master that was cut off goes on taking writes that are lost when it comes "
            "back. Set min-replicas-to-write 1 and min-replicas-max-lag below the time after which it is replaced"
        )
        return [warning("redis replicas", text)]
    if facts.replicas < int(facts.min_replicas):
        text = f"{facts.replicas} replicas, and {facts.min_replicas} are needed: the server refuses every write"
        return [error("redis replicas", text)]
    text = f"a master without {facts.min_replicas} replica in the last {facts.max_lag} s refuses writes"
    return [ok("redis replicas", text)]
