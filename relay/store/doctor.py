"""What a Redis or Valkey server says of itself, gathered for ``relay doctor``; nothing is changed on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis.exceptions

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.store.connection import Connection

PINGS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What was found on one server.

    ``family`` is ``redis`` or ``valkey``; times are in seconds; ``skew`` is its clock minus ours.  What the server
    did not tell (an ACL may forbid ``CONFIG``) is empty, or None for ``has_waitaof`` and ``open_to_all``.

    ``kind`` is that of the URL: ``single``, ``sentinel`` or ``cluster``.  ``min_replicas`` and ``max_lag`` are its
    ``min-replicas-…`` settings.  Of a Cluster ``primaries`` are counted, and those without a replica named in ``bare``.
    """

    family: str
    version: tuple[int, int, int]
    mode: str
    role: str
    replicas: int
    memory_used: int
    memory_limit: int
    eviction: str
    aof: bool
    aof_sync: str
    aof_write: str
    loading: bool
    latency_p50: float
    latency_max: float
    skew: float
    has_waitaof: bool | None
    open_to_all: bool | None
    kind: str = "single"
    min_replicas: str = ""
    max_lag: str = ""
    primaries: int = 0
    bare: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Family and version for people."""
        return f"{self.family.capitalize()} {'.'.join(map(str, self.version))}"


async def examine(url: str, *, timeout: float, clock: Clock) -> ServerFacts:
    """Return the facts of the server at ``url``.

    Raises:
        ConfigError: ``url`` cannot be understood.
        StoreUnavailable: it does not answer in ``timeout`` seconds, refuses us, or is no such server.
    """
    connection = Connection(url, timeout=timeout, pool=2)
    try:
        return await _examine(connection, clock)
    except redis.exceptions.RedisError as error:
        raise StoreUnavailable(f"the server refuses us: {error}") from error
    finally:
        await connection.close()


async def _examine(connection: Connection, clock: Clock) -> ServerFacts:
    info = info_fields(await connection.call("INFO"))
    latencies = sorted([await _ping(connection, clock) for _ in range(PINGS)])
    family = "valkey" if "valkey_version" in info else "redis"
    return ServerFacts(
        family=family,
        version=version_of(info.get("valkey_version") or info.get("redis_version", "")),
        mode=info.get("redis_mode", ""),
        role=info.get("role", ""),
        replicas=number_of(info, "connected_slaves"),
        memory_used=number_of(info, "used_memory"),
        memory_limit=number_of(info, "maxmemory"),
        eviction=info.get("maxmemory_policy", ""),
        aof=info.get("aof_enabled") == "1",
        aof_sync=await _setting(connection, "appendfsync"),
        aof_write=info.get("aof_last_write_status", ""),
        loading=info.get("loading") == "1",
        latency_p50=latencies[len(latencies) // 2],
        latency_max=latencies[-1],
        skew=await _skew(connection, clock),
        has_waitaof=await _knows(connection, "waitaof"),
        open_to_all=await _is_open(connection),
        kind=connection.kind,
        min_replicas=await _setting(connection, "min-replicas-to-write"),
        max_lag=await _setting(connection, "min-replicas-max-lag"),
        **await _cluster(connection),
    )


async def _cluster(connection: Connection) -> dict[str, Any]:
    """Return what is said of the primaries of a Cluster; nothing elsewhere."""
    if connection.kind != "cluster":
        return {}
    rows = await connection.call("CLUSTER", "SLOTS")
    replicas: dict[str, int] = {}
    for _, _, primary, *copies in rows:
        name = f"{_text(primary[0])}:{primary[1]}"
        replicas[name] = max(replicas.get(name, 0), len(copies))
    return {"primaries": len(replicas), "bare": tuple(name for name, count in replicas.items() if not count)}


def info_fields(answer: object) -> dict[str, str]:
    """Return the fields of ``INFO``, whether the client library parsed it or not."""
    if isinstance(answer, Mapping):
        return {str(name): _text(value) for name, value in answer.items()}
    lines = _text(answer).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def version_of(text: str) -> tuple[int, int, int]:
    """Return the three numbers of a version; zeros where the text has none."""
    numbers = [int(part) if part.isdecimal() else 0 for part in text.split(".")[:3]]
    major, minor, patch = [*numbers, 0, 0, 0][:3]
    return major, minor, patch


def number_of(info: Mapping[str, str], name: str) -> int:
    """Return a field of ``INFO`` that is a whole number, 0 where it is missing."""
    text = info.get(name, "")
    return int(text) if text.isdecimal() else 0


async def _ping(connection: Connection, clock: Clock) -> float:
    began = clock.monotonic()
    await connection.call("PING")
    return clock.monotonic() - began


async def _skew(connection: Connection, clock: Clock) -> float:
    before = clock.time()
    seconds, micros = await connection.call("TIME")
    return int(seconds) + int(micros) / 1e6 - (before + clock.time()) / 2


async def _setting(connection: Connection, name: str) -> str:
    """Return a setting of the server, empty when it may not be read."""
    try:
        answer = await connection.call("CONFIG", "GET", name)
    except redis.exceptions.ResponseError:
        return ""
    pairs = answer if isinstance(answer, Mapping) else dict(zip(answer[::2], answer[1::2], strict=False))
    return {_text(key): _text(value) for key, value in pairs.items()}.get(name, "")


async def _knows(connection: Connection, command: str) -> bool | None:
    try:
        # One word with a space: under the name COMMAND the library expects another answer than this one.
        found = await connection.call("COMMAND LIST", "FILTERBY", "PATTERN", command)
    except redis.exceptions.ResponseError:
        return None
    return command in {_text(name) for name in found}


async def _is_open(connection: Connection) -> bool | None:
    """Return whether anybody who reaches the server may do anything without a password."""
    try:
        rules = [_text(rule) for rule in await connection.call("ACL", "LIST")]
    except redis.exceptions.ResponseError:
        return None
    return any(rule.startswith("user default on") and " nopass " in f"{rule} " for rule in rules)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
