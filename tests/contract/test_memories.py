"""Memories: a slot that forgot, or that another server run has, is known by itself."""

from collections.abc import Sequence
from typing import Any

import pytest

from relay.store.connection import Connection
from relay.store.keys import CTL_MARKS, Partition
from relay.store.memories import DIRECTORY, SWITCHES, Memories
from relay.store.partitions import Partitions


async def test_each_slot_has_a_name_of_its_own(redis: Connection) -> None:
    """What one partition, the directory or the switches lose is not taken for a loss of all."""
    memories = Memories(redis, Partitions(2))
    for place in memories.places:
        await memories.name("node", place, f"name {place}")
    await redis.pipe([("DEL", Partition(1).marks), ("DEL", CTL_MARKS)])
    found = await memories.read("node")

    assert {place: memory.name for place, memory in found.items()} == {
        0: "name 0",
        1: "",
        DIRECTORY: f"name {DIRECTORY}",
        SWITCHES: "",
    }
    assert all(len(memory.run) == 40 for memory in found.values())


async def test_one_partition_stands_for_everything(redis: Connection) -> None:
    """On one server directory, switches and alerts are lost together."""
    assert list(await Memories(redis, Partition()).read("node")) == [0]


async def test_fence_of_any_partition(redis: Connection) -> None:
    """While one partition waits for its workers to repeat themselves, who was told is not known."""
    memories = Memories(redis, Partitions(2))
    before = await memories.fenced()
    await redis.call("HSET", Partition(1).run, "id", "another run")

    assert not before
    assert await memories.fenced()


async def test_a_server_is_asked_for_its_run_once(redis: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has sixteen partitions on three servers asks three times a second who they are, not eighteen times."""
    asked: list[int] = []
    run_each = redis.run_each

    async def counted(name: str, keys: Sequence[Sequence[str]], args: Sequence[str]) -> list[Any]:
        asked.append(len(keys))
        return await run_each(name, keys, args)

    monkeypatch.setattr(redis, "run_each", counted)
    memories = Memories(redis, Partitions(16))
    for place in memories.places:
        await memories.name("node", place, f"name {place}")
    found = await memories.read("node")
    servers = {await redis.server(keys.marks) for keys in Partitions(16).all}

    assert asked == [len(servers)]
    assert {place: memory.name for place, memory in found.items()} == {p: f"name {p}" for p in memories.places}
    assert len({memory.run for memory in found.values()}) == len(servers)
