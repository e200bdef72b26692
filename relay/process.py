"""Operating-system processes that belong to the relay: how one is started, watched and stopped."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import shutil
import subprocess
import threading
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
LONG_ENOUGH = 10.0
T = TypeVar("T")
KILL_WAIT = 5.0


def boot() -> str:
    """Return what tells this start of the machine from any other; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """What follows the death of a process: a ``pause`` in seconds, and how many quick deaths came in a row."""

    pause: float
    failures: int


def restart_after(*, lived: float, failures: int) -> Restart:
    """Decide how long to wait before a process that lived ``lived`` seconds is started again.

    ``failures`` counts the quick deaths before this one.  The pause doubles from 0.2 to 5 seconds; a process that
    lived for 10 seconds starts the row anew.
    """
    row = 1 if lived >= LONG_ENOUGH else failures + 1
    pause = min(FIRST_PAUSE * 2 ** min(row - 1, 10), LONGEST_PAUSE)
    return Restart(pause=pause, failures=row)


@functools.cache
def death_signal_prefix() -> tuple[str, ...]:
    """Return the words before a command that end it when its parent dies, or nothing where that does not exist."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    words = (setpriv, "--pdeathsig", "TERM")
    # BusyBox has a setpriv without this option.
    probe = subprocess.run([*words, "true"], check=False, capture_output=True, timeout=5)  # noqa: S603 - constant words
    return words if probe.returncode == 0 else ()


async def spawn(command: Sequence[str], *, output: int | None = None, keep: Sequence[int] = ()) -> Process:
    """Start ``command`` in a session of its own, so that Ctrl-C reaches the relay only, which stops it in order.

    ``output`` is a file descriptor for its standard output and error (None: those of the relay); the descriptors
    in ``keep`` stay open in it.

    Raises:
        RuntimeError: not called from the main thread.  The death signal fires when the *thread* that started the
            process ends, so any other thread would kill it too early.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start processes from the main thread: the death signal follows the starting thread")
    return await asyncio.create_subprocess_exec(
        *death_signal_prefix(),
        *command,
        stdin=DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=tuple(keep),
        start_new_session=True,
    )


async def exited_or_stopping(process: Process, stopping: asyncio.Event) -> None:
    """Wait for the first of two things: ``process`` ends, ``stopping`` is set."""
    async with asyncio.TaskGroup() as tasks:
        waiters = {
            tasks.create_task(process.wait(), name="process ends"),
            tasks.create_task(_set(stopping), name="stopping"),
        }
        await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
        for waiter in waiters:
            waiter.cancel()


async def _set(event: asyncio.Event) -> int:
    await event.wait()
    return 0


async def first(waiting: Coroutine[Any, Any, T], stopping: asyncio.Event) -> T | None:
    """Return what ``waiting`` brings, or raise what it raises; when ``stopping`` comes first, cancel it: None."""
    async with asyncio.TaskGroup() as tasks:
        brings = tasks.create_task(_caught(waiting))
        told = tasks.create_task(stopping.wait())
        await asyncio.wait((brings, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        brings.cancel()
    if brings.cancelled():
        return None
    found, error = brings.result()
    if error is not None:
        raise error
    return found


async def _caught(waiting: Coroutine[Any, Any, T]) -> tuple[T | None, Exception | None]:
    # A task group would wrap the error, and cancel the caller for it.
    try:
        return await waiting, None
    except Exception as error:  # noqa: BLE001 -- raised again by whoever waits
        return None, error


async def pause(stopping: asyncio.Event, *, seconds: float) -> None:
    """Wait ``seconds``, or less when ``stopping`` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def ended(process: Process, *, within: float) -> bool:
    """Wait at most ``within`` seconds for ``process`` to end; say whether it did."""
    try:
        async with asyncio.timeout(within):
            await process.wait()
    except TimeoutError:
        return False
    return True


async def terminate(process: Process, *, grace: float) -> bool:
    """End ``process``: TERM, then KILL after ``grace`` seconds.  Return whether TERM was enough."""
    if process.returncode is not None:
        return True
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    if await ended(process, within=grace):
        return True
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await ended(process, within=KILL_WAIT)
    return False
