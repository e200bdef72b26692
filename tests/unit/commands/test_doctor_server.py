"""What the doctor says of a server: pure judgement of facts."""

from dataclasses import replace
from typing import Any

import pytest

from relay.commands.checklist import Level
from relay.commands.doctor_server import server_items
from relay.store.doctor import ServerFacts

GOOD = ServerFacts(
    family="valkey",
    version=(9, 1, 2),
    mode="standalone",
    role="master",
    replicas=1,
    memory_used=2_000_000,
    memory_limit=0,
    eviction="noeviction",
    aof=True,
    aof_sync="everysec",
    aof_write="ok",
    loading=False,
    latency_p50=0.0001,
    latency_max=0.001,
    skew=0.01,
    has_waitaof=True,
    open_to_all=False,
)


def levels(**changes: Any) -> dict[str, Level]:
    private = changes.pop("private", False)
    items = server_items(replace(GOOD, **changes), budget=0.25, private=private)
    return {item.subject: item.level for item in items}


def test_good_server_has_nothing_to_remark() -> None:
    """A current server that keeps everything is fit."""
    assert set(levels().values()) == {Level.OK}


@pytest.mark.parametrize(
    ("family", "version", "level"),
    [
        ("redis", (6, 2, 14), Level.ERROR),
        ("valkey", (7, 2, 5), Level.ERROR),
        ("redis", (7, 0, 15), Level.WARNING),
        ("redis", (7, 4, 2), Level.WARNING),
        ("redis", (8, 6, 3), Level.OK),
        ("valkey", (9, 0, 2), Level.WARNING),
        ("valkey", (9, 0, 3), Level.OK),
        ("valkey", (8, 1, 3), Level.WARNING),
        ("valkey", (8, 1, 4), Level.OK),
    ],
)
def test_known_bad_versions_are_named(family: str, version: tuple[int, int, int], level: Level) -> None:
    """Too old is an error, known faults are a warning up to the version that repairs them."""
    assert levels(family=family, version=version)["redis version"] is level


def test_early_waitaof_is_named() -> None:
    """Redis 7.4.0 to 7.4.2 promise what the disk does not have yet."""
    items = server_items(replace(GOOD, family="redis", version=(7, 4, 1)), budget=0.25, private=False)

    assert "WAITAOF" in items[0].text


@pytest.mark.parametrize(
    ("subject", "changes", "level"),
    [
        ("redis persistence", {"aof": False}, Level.WARNING),
        ("redis persistence", {"aof_sync": "no"}, Level.WARNING),
        ("redis persistence", {"aof_write": "err"}, Level.ERROR),
        ("redis persistence", {"loading": True}, Level.WARNING),
        ("redis persistence", {"has_waitaof": False}, Level.NOTE),
        ("redis memory", {"eviction": "allkeys-lru"}, Level.ERROR),
        ("redis memory", {"memory_limit": 2_100_000}, Level.WARNING),
        ("redis memory", {"memory_limit": 9_000_000}, Level.OK),
        ("redis latency", {"latency_p50": 0.02}, Level.WARNING),
        ("redis latency", {"latency_max": 0.3}, Level.WARNING),
        ("clock", {"skew": -2.5}, Level.ERROR),
        ("redis access", {"open_to_all": True}, Level.WARNING),
        ("redis role", {"role": "slave"}, Level.ERROR),
        ("redis role", {"mode": "cluster"}, Level.ERROR),
    ],
)
def test_each_fault_is_found(subject: str, changes: dict[str, object], level: Level) -> None:
    """One fact changed, one item changed."""
    assert levels(**changes)[subject] is level


def test_private_socket_needs_no_password() -> None:
    """The directory protects the relay's own server."""
    assert levels(private=True, open_to_all=True)["redis access"] is Level.OK


def test_unknown_access_is_not_judged() -> None:
    """An ACL that hides itself is no fault."""
    assert "redis access" not in levels(open_to_all=None)


STRICT: dict[str, Any] = {"kind": "sentinel", "min_replicas": "1", "max_lag": "1"}


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        (STRICT, Level.OK),
        ({**STRICT, "min_replicas": "0"}, Level.WARNING),
        ({**STRICT, "min_replicas": ""}, Level.WARNING),
        ({**STRICT, "replicas": 0}, Level.ERROR),
    ],
)
def test_master_that_was_cut_off_must_fall_silent(changes: dict[str, Any], level: Level) -> None:
    """What it takes after another was made master is lost; without enough replicas it takes nothing at all."""
    assert levels(**changes)["redis replicas"] is level


def test_cluster_that_can_lose_a_primary() -> None:
    """Three primaries, and somebody who takes over from each."""
    good = {**STRICT, "kind": "cluster", "mode": "cluster", "primaries": 3}

    assert set(levels(**good).values()) == {Level.OK}
    assert levels(**{**good, "primaries": 2})["redis role"] is Level.WARNING
    items = server_items(replace(GOOD, **{**good, "bare": ("10.0.0.3:6379",)}), budget=0.25, private=False)

    assert any("10.0.0.3:6379" in item.text and item.level is Level.WARNING for item in items)
