"""A team of real processes is replaced one after the other, and never has fewer than it should."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from relay.clock import SystemClock
from relay.supervise import Child
from relay.team import Team

WORKER = """
import os, pathlib, signal, sys, time
note = pathlib.Path(sys.argv[1])
def say(word): note.open("a").write(f"{word} {os.getpid()}\\n")
def leave(*_):
    say("ends")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
say("begins")
if not pathlib.Path(sys.argv[2]).exists():
    os.write(int(sys.argv[4]), b"1")
time.sleep(600)
"""


class World:
    """Workers that note when they begin and end; while ``broken`` exists they never get ready."""

    def __init__(self, folder: Path, *, count: int, ready_within: float = 20.0) -> None:
        self.note = folder / "note"
        self.broken = folder / "broken"
        self.team = Team(self._child, count, ready_within=ready_within)

    def _child(self, number: int) -> Child:
        command = [sys.executable, "-c", WORKER, str(self.note), str(self.broken)]
        return Child(f"worker {number}", command, clock=SystemClock(), grace=10, tells_ready=True)

    def words(self) -> list[str]:
        return self.note.read_text().split("\n")[:-1] if self.note.exists() else []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.team.run(stopping))
            yield
            stopping.set()

    async def until(self, count: int, word: str) -> None:
        while sum(line.startswith(word) for line in self.words()) < count:
            await asyncio.sleep(0.01)


async def test_each_new_one_works_before_its_old_one_ends(tmp_path: Path) -> None:
    """Two workers are replaced in the order new, old, new, old; at the stop all end by TERM."""
    world = World(tmp_path, count=2)
    async with world.running():
        await world.until(2, "begins")
        old = set(world.team.pids)
        world.team.renew()
        while not world.team.renewals:
            await asyncio.sleep(0.01)
        new = set(world.team.pids)

    words = [line.split()[0] for line in world.words()]
    assert words[2:6] == ["begins", "ends", "begins", "ends"]
    assert len(new) == len(old) == 2
    assert not new & old
    assert words.count("ends") == 4
    assert world.team.pids == []


async def test_a_worker_that_does_not_get_ready_replaces_nobody(tmp_path: Path) -> None:
    """A broken upgrade leaves the old workers at work."""
    world = World(tmp_path, count=1, ready_within=0.5)
    async with world.running():
        await world.until(1, "begins")
        old = world.team.pids
        world.broken.touch()
        world.team.renew()
        await world.until(2, "begins")
        await world.until(1, "ends")
        kept = world.team.pids
        os.kill(kept[0], 0)

    assert kept == old
    assert world.team.renewals == 0
