"""The heartbeat: switches are obeyed, also when Redis cannot say so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from relay.errors import StoreUnavailable
from relay.fanout.beat import ALIVE_FILE, GONE, STOP_FILE, Beat, forgettable
from relay.fanout.channels import Channels
from relay.fanout.leases import Leases
from relay.fanout.prepare import Gate, Preparer
from relay.store.switches import STOP, Switches
from relay.testing.clocks import FakeClock


@dataclass
class World:
    """Switches, heartbeats, and a worker that obeys."""

    set: dict[str, str] = field(default_factory=dict)
    beats: dict[str, Any] = field(default_factory=dict)
    away: bool = False
    gate: Gate = field(default_factory=Gate)
    in_hand: int = 3
    alone: bool = True
    clock: FakeClock = field(default_factory=FakeClock)

    def _here(self) -> None:
        if self.away:
            raise StoreUnavailable("away")

    async def read(self) -> dict[str, str]:
        self._here()
        return self.set

    async def beat(self, worker_id: str, heartbeat: Mapping[str, Any]) -> None:
        self._here()
        self.beats[worker_id] = heartbeat

    async def workers(self) -> dict[str, Any]:
        self._here()
        return self.beats

    async def forget_workers(self, worker_ids: Sequence[str]) -> None:
        self._here()
        for worker_id in worker_ids:
            del self.beats[worker_id]

    def __iter__(self) -> Iterator[Any]:
        return iter([Channel()])


class Channel:
    name = "sms"

    def state(self) -> dict[str, Any]:
        return {"total": 7}


@pytest.fixture
def world() -> World:
    return World()


def beat_of(world: World, folder: Path) -> Beat:
    return Beat(
        "me",
        cast("Switches", world),
        cast("Channels", world),
        cast("Preparer", world),
        cast("Leases", world),
        data_dir=folder,
        clock=world.clock,
        facts=lambda: {"recipients": 5},
    )


async def test_heartbeat_tells_of_the_worker(world: World, tmp_path: Path) -> None:
    """Others see when it was, what is in hand, and each channel."""
    await beat_of(world, tmp_path).once()

    assert world.beats == {
        "me": {"at": world.clock.time(), "channels": {"sms": {"total": 7}}, "in_hand": 3, "recipients": 5}
    }


@pytest.mark.parametrize(
    ("switches", "gate"),
    [
        ({}, Gate()),
        ({STOP: "by"}, Gate(stopped=True)),
        ({"pause:sms": "by", "pause:mail": "by"}, Gate(paused=frozenset({"sms", "mail"}))),
    ],
)
async def test_switches_are_obeyed(world: World, tmp_path: Path, switches: dict[str, str], gate: Gate) -> None:
    """What is set in Redis holds for this worker within a beat, and what was cleared no more."""
    world.gate, world.set = Gate(stopped=True), switches
    await beat_of(world, tmp_path).once()

    assert world.gate == gate


async def test_stop_file_stops(world: World, tmp_path: Path) -> None:
    """The file on this node stops the worker whatever Redis says."""
    (tmp_path / STOP_FILE).touch()
    await beat_of(world, tmp_path).once()

    assert world.gate == Gate(stopped=True)


@pytest.mark.parametrize(
    ("gate", "file"), [(Gate(paused=frozenset({"sms"})), False), (Gate(stopped=True), False), (Gate(), True)]
)
async def test_switches_hold_while_redis_is_away(world: World, tmp_path: Path, gate: Gate, file: bool) -> None:
    """What was stopped or paused stays so while nobody can ask; a paused channel went on for that time."""
    world.gate, world.away = gate, True
    if file:
        (tmp_path / STOP_FILE).touch()
    stopping = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(beat_of(world, tmp_path).run(stopping))
        await asyncio.sleep(0.05)
        stopping.set()

    assert world.gate == Gate(gate.stopped or file, gate.paused)


async def test_touches_a_file_for_health_checks(world: World, tmp_path: Path) -> None:
    """Whoever watches a worker from outside sees that Redis took its heartbeat, and when it did not."""
    await beat_of(world, tmp_path).once()
    (tmp_path / ALIVE_FILE).unlink()
    world.away = True
    with pytest.raises(StoreUnavailable):
        await beat_of(world, tmp_path).once()

    assert not (tmp_path / ALIVE_FILE).exists()
    world.away = False
    await beat_of(world, tmp_path).once()
    assert (tmp_path / ALIVE_FILE).exists()


async def test_says_goodbye(world: World, tmp_path: Path) -> None:
    """A worker that stops is forgotten at once, so that nobody is fenced for its sake."""
    stopping = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(beat_of(world, tmp_path).run(stopping))
        while not world.beats:
            await asyncio.sleep(0.005)
        stopping.set()

    assert world.beats == {}


@pytest.mark.parametrize(
    ("ago", "alone", "kept"), [(1.0, False, True), (GONE + 1, True, True), (20 * GONE + 1, True, False)]
)
async def test_others_are_counted_while_they_live(
    world: World, tmp_path: Path, ago: float, alone: bool, kept: bool
) -> None:
    """A worker that has been silent for ten seconds is gone, and is forgotten later."""
    world.beats["elsewhere-1"] = {"at": world.clock.time() - ago}
    await beat_of(world, tmp_path).once()

    assert world.alone is alone
    assert ("elsewhere-1" in world.beats) is kept


def test_a_replaced_worker_of_this_machine_is_soon_forgotten() -> None:
    """A worker that was killed and started again must not look like a missing one for minutes."""
    workers = {name: {"at": 100.0} for name in ("n1-alma-7", "n1-alma-8", "n1-osh-7", "n2-alma-7")}

    assert forgettable("n1-alma-8", workers, now=100.0 + GONE + 1) == ["n1-alma-7"]
    assert forgettable("n1-alma-8", workers, now=100.0 + 20 * GONE + 1) == ["n1-alma-7", "n1-osh-7", "n2-alma-7"]
