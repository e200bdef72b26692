"""The demo's own relay as a child process: started, killed in part, ended."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from relay.demo.configuration import Places
from relay.demo.faults import NoStage
from relay.process import spawn, terminate

_READY_WITHIN: Final = 20.0
_GRACE: Final = 10.0
_LAST_WORDS: Final = 600  # characters of the log that are shown when it does not start
_SIGN_IN: Final = re.compile(r"https?://127\.0\.0\.1:\d+/\S*(?:token|sign-in|signin|login|once)\S*")


def command(config: Path, *, leave: Sequence[str] = ()) -> list[str]:
    """Return the command that starts the relay; ``leave`` names variables of the environment it must not see."""
    env = shutil.which("env") if leave else None
    hidden = [env, *(word for name in leave for word in ("-u", name))] if env else []
    return [*hidden, sys.executable, "-m", "relay", "--config", str(config), "serve"]


class RelayProcess:
    """``relay serve`` with the demo's configuration; everything it says goes to the log."""

    def __init__(self, places: Places, *, leave: Sequence[str] = ()) -> None:
        self._places = places
        self._leave = leave
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it; it is not ready yet."""
        with self._places.log.open("wb") as log:
            self._process = await spawn(command(self._places.config, leave=self._leave), output=log.fileno())

    def check(self) -> None:
        """Raise when it has ended.

        Raises:
            NoStage: with its last words.
        """
        if self._process is None or self._process.returncode is not None:
            raise NoStage(f"the relay ended. Its last words: {last_words(self._places.log)}")

    @property
    def sign_in_link(self) -> str:
        """The one-time link that the relay printed, or an empty string."""
        return sign_in_link(self._places.log.read_text(encoding="utf-8", errors="replace"))

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        if self._process is None:
            return []
        return [pid for pid in children(self._process.pid) if is_worker(_command_line(pid))]

    async def stop(self) -> bool:
        """End it and everything it started; say whether it ended in order."""
        if self._process is None:
            return True
        below = list(descendants(self._process.pid))
        gentle = await terminate(self._process, grace=_GRACE)
        for pid, began in below:
            await _gone(pid, began)
        return gentle


def last_words(log: Path) -> str:
    """Return the end of a log file."""
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:].strip() or "none"
    except OSError:
        return "none"


def sign_in_link(said: str) -> str:
    """Return the one-time link in what the relay printed, or an empty string."""
    found = _SIGN_IN.search(said)
    return found[0] if found else ""


def children(pid: int, *, proc: Path = Path("/proc")) -> list[int]:
    """Return the process ids of the children of ``pid``, the oldest first."""
    folders = proc.iterdir() if proc.is_dir() else ()
    numbers = (int(folder.name) for folder in folders if folder.name.isdigit())
    return sorted(n for n in numbers if parent_of(_read(proc / str(n) / "stat")) == pid)


def parent_of(stat: str) -> int:
    """Return the parent's process id in a line of ``/proc/…/stat``; 0 when there is none.

    The name in parentheses may hold anything, spaces and parentheses too.
    """
    fields = stat.rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def is_worker(words: Sequence[str]) -> bool:
    """Whether a command line is that of a worker of the relay."""
    return "--role" in words and "worker" in words


def _command_line(pid: int) -> list[str]:
    return _read(Path("/proc") / str(pid) / "cmdline").split("\0")


def descendants(pid: int) -> Iterator[tuple[int, str]]:
    """Yield every process below ``pid``, with the time it began, which tells it from a later one of the same id."""
    for child in children(pid):
        yield child, began_at(_read(Path("/proc") / str(child) / "stat"))
        yield from descendants(child)


def began_at(stat: str) -> str:
    """Return when a process began, in clock ticks since the machine did, from a line of ``/proc/…/stat``."""
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


async def _gone(pid: int, began: str) -> None:
    """Wait a moment for a process of the relay to end after it; then end it."""
    for _ in range(40):
        stat = _read(Path("/proc") / str(pid) / "stat")
        if not began or began_at(stat) != began or stat.rpartition(")")[2].split()[0] == "Z":
            return
        await asyncio.sleep(0.05)
    kill(pid)


def kill(pid: int) -> None:
    """``kill -9``; harmless when the process is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
