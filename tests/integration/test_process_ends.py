"""Real processes: how they are watched and stopped, and what happens to them when the relay is killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from relay.process import death_signal_prefix, ended, exited_or_stopping, pause, spawn, terminate

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


def alive(pid: int) -> bool:
    """Say whether a process exists and is not only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_up(path: Path) -> None:
    async with asyncio.timeout(20):
        while "up" not in path.read_text():
            await asyncio.sleep(0.01)


async def test_gentle_process_ends_by_term(tmp_path: Path) -> None:
    """A process that listens to TERM is never killed."""
    with (tmp_path / "out").open("wb") as out:
        process = await spawn(SLEEPER, output=out.fileno())
    await until_up(tmp_path / "out")
    gentle = await terminate(process, grace=10)

    assert gentle
    assert process.returncode == -signal.SIGTERM


async def test_deaf_process_is_killed(tmp_path: Path) -> None:
    """A process that ignores TERM is killed after its grace: stopping always ends."""
    with (tmp_path / "out").open("wb") as out:
        process = await spawn(DEAF, output=out.fileno())
    await until_up(tmp_path / "out")
    gentle = await terminate(process, grace=0.1)

    assert not gentle
    assert process.returncode == -signal.SIGKILL


async def test_terminate_after_the_end_is_harmless() -> None:
    """A process that has already ended can be stopped again."""
    process = await spawn([sys.executable, "-c", "pass"])

    assert await ended(process, within=20)
    assert await terminate(process, grace=0.1)


async def test_waiting_ends_with_the_process() -> None:
    """The death of a process is noticed at once, without anybody asking to stop."""
    process = await spawn([sys.executable, "-c", "raise SystemExit(3)"])
    async with asyncio.timeout(20):
        await exited_or_stopping(process, asyncio.Event())

    assert process.returncode == 3


async def test_waiting_ends_with_stopping() -> None:
    """The wish to stop is noticed at once, although the process lives on."""
    process = await spawn(SLEEPER)
    stopping = asyncio.Event()
    stopping.set()
    async with asyncio.timeout(20):
        await exited_or_stopping(process, stopping)

    assert process.returncode is None
    await terminate(process, grace=10)


async def test_pause_is_cut_short_by_stopping() -> None:
    """Nobody waits for a back-off when the relay stops."""
    stopping = asyncio.Event()
    stopping.set()
    began = time.monotonic()
    await pause(stopping, seconds=60)

    assert time.monotonic() - began < 5


def test_only_the_main_thread_may_start_processes() -> None:
    """Starting from another thread is refused: the process would die with that thread."""
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            asyncio.run(_spawn_and_forget())
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join(20)

    assert "main thread" in str(errors[0])


async def _spawn_and_forget() -> None:
    await spawn(["true"])


PARENT = """
import asyncio, sys
from relay.process import spawn
async def main():
    process = await spawn([sys.executable, "-c", "import time; time.sleep(600)"])
    print(process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.skipif(not death_signal_prefix(), reason="setpriv of util-linux is not here")
def test_children_do_not_outlive_a_killed_relay() -> None:
    """``kill -9`` of the relay ends its child processes too."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    born_alive = alive(child)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    survived = alive(child)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)

    assert born_alive
    assert not survived
