"""Supervision of parts and of real child processes."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from relay.clock import SystemClock
from relay.supervise import Child, run

CHILD = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(sys.argv[1]).open("a").write("up\\n")
time.sleep(600)
"""


class Worker:
    """A part that notes what happens to it."""

    def __init__(self, *, finish_after: float = 0.0) -> None:
        self.finish_after = finish_after
        self.seen: list[str] = []

    async def run(self, stopping: asyncio.Event) -> None:
        self.seen.append("started")
        try:
            await stopping.wait()
            await asyncio.sleep(self.finish_after)
        except asyncio.CancelledError:
            self.seen.append("cancelled")
            raise
        self.seen.append("finished")


class Broken:
    """A part that fails at once."""

    async def run(self, stopping: asyncio.Event) -> None:
        raise ValueError("broken on purpose")


async def stop_after_start(stopping: asyncio.Event, *parts: Worker) -> None:
    while not all(part.seen for part in parts):
        await asyncio.sleep(0)
    stopping.set()


async def test_parts_finish_their_work_within_the_grace() -> None:
    """Stopping is a request: a part that needs a moment gets it."""
    stopping, part = asyncio.Event(), Worker(finish_after=0.02)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(stop_after_start(stopping, part), name="stop")
        await run({"worker": part}, stopping=stopping, grace=10)

    assert part.seen == ["started", "finished"]


async def test_parts_that_need_too_long_are_cancelled() -> None:
    """The grace is a bound: what is in flight after it is cancelled, and the others still finished."""
    stopping, slow, quick = asyncio.Event(), Worker(finish_after=600), Worker()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(stop_after_start(stopping, slow, quick), name="stop")
        await run({"slow": slow, "quick": quick}, stopping=stopping, grace=0.05)

    assert slow.seen == ["started", "cancelled"]
    assert quick.seen == ["started", "finished"]


async def test_one_broken_part_ends_all() -> None:
    """A part that fails is not left dead in a running relay: everything ends, with its error."""
    part = Worker()
    with pytest.raises(ExceptionGroup) as caught:
        await run({"worker": part, "broken": Broken()}, stopping=asyncio.Event(), grace=10)

    assert caught.group_contains(ValueError, match="broken on purpose")
    assert part.seen[-1] == "cancelled"


def starts(path: Path) -> int:
    return path.read_text().count("up") if path.exists() else 0


async def until_started(path: Path, times: int) -> None:
    async with asyncio.timeout(30):
        while starts(path) < times:
            await asyncio.sleep(0.01)


async def test_killed_child_comes_back_and_stops_gently(tmp_path: Path) -> None:
    """A worker killed with ``kill -9`` is started again; when the relay stops, it ends by TERM."""
    stopping, note = asyncio.Event(), tmp_path / "starts"
    child = Child("worker-1", [sys.executable, "-c", CHILD, str(note)], clock=SystemClock(), grace=10)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(child.run(stopping), name="child")
        await until_started(note, 1)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await until_started(note, 2)
        stopping.set()

    assert child.starts == 2
    assert child.pid is None


async def test_command_that_does_not_exist_is_tried_again() -> None:
    """A child that cannot be started does not take the relay down."""
    stopping = asyncio.Event()
    child = Child("worker-1", ["/nonexistent/worker"], clock=SystemClock(), grace=1)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(child.run(stopping), name="child")
        while child.starts < 2:
            await asyncio.sleep(0.01)
        stopping.set()

    assert child.pid is None


async def test_cancelled_supervisor_leaves_no_child(tmp_path: Path) -> None:
    """When the supervisor itself is cancelled, its child is killed, not orphaned."""
    note = tmp_path / "starts"
    child = Child("worker-1", [sys.executable, "-c", CHILD, str(note)], clock=SystemClock(), grace=10)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(child.run(asyncio.Event()), name="child")
        await until_started(note, 1)
        pid = child.pid
        task.cancel()
    async with asyncio.timeout(20):
        while child.pid is not None:
            await asyncio.sleep(0.01)

    assert pid is not None
