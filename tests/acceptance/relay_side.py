"""The real relay in processes of its own: started from a configuration, killed in part or whole, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_URL = re.compile(r"^relay\s+(https?://\S+)", re.MULTILINE)

#: Short enough that a recovery fits into a test; the ratios are those of the defaults.
ENGINE: Mapping[str, Any] = {
    "lease": 2.0,
    "lease_flash": 1.5,
    "fence": 2.0,
    "reconcile": 2.0,
    "grace": 10.0,
    "pauses_urgent": [0.5, 1.0],
    "pauses": [0.5, 1.0],
}


def free_port() -> int:
    """Return a loopback port that nobody listens on, and that the system gives to no outgoing connection."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def alive(pid: int) -> bool:
    """Say whether a process exists and is not only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(what: Any, *, within: float, why: str) -> Any:
    """Return what ``what()`` returns once that is true; it may be awaitable."""
    deadline = time.monotonic() + within
    while True:
        found = what()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {within} s: {why}"
        await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Found:
    """One process of a relay: ``role`` is ``serve``, ``worker`` or ``redis``."""

    pid: int
    role: str


class Relay:
    """``relay serve`` on a data directory; it can be started again on the same one after any end."""

    def __init__(
        self, folder: Path, *, channels: Mapping[str, Mapping[str, Any]], **sections: Mapping[str, Any]
    ) -> None:
        """``sections`` are tables of the configuration; ``engine`` is laid over the short times."""
        self.data_dir = folder / "data"
        self.folder = folder
        self.config = folder / "relay.toml"
        self.url = ""
        self.root = ROOT  # the tree whose relay runs
        #: Words before the command, and descriptors that stay open in it.
        self.before: Sequence[str] = ()
        self.keep: Sequence[int] = ()
        self._starts = 0
        self._serve: subprocess.Popen[bytes] | None = None
        tables = {"api": {"port": free_port(), "posts_per_minute": 100_000}, **sections}
        tables["engine"] = {**ENGINE, **sections.get("engine", {})}
        tables |= {f"channels.{name}": channel for name, channel in channels.items()}
        self.config.write_text(_toml({"data_dir": str(self.data_dir)}, tables), encoding="utf-8")

    @property
    def pid(self) -> int:
        """The process id of ``relay serve``."""
        assert self._serve is not None
        return self._serve.pid

    @property
    def key(self) -> str:
        """The admin key."""
        return (self.data_dir / "admin.key").read_text().strip()

    @property
    def log(self) -> str:
        """Everything that the relay has said since it was first started, oldest first."""
        texts = [path.read_text(errors="replace") for path in sorted(self.folder.glob("serve-*.log"))]
        return "".join(texts)

    def begin(self, *more: str) -> None:
        """Start it in a process group of its own and wait for nothing; ``more`` are further words for ``serve``."""
        self._starts += 1
        self.url = ""
        words = [*self.before, sys.executable, "-m", "relay", "--config", str(self.config), "serve", *more]
        env = {name: value for name, value in os.environ.items() if not name.startswith("RELAY_")}
        with self._said.open("wb") as said, self._logged.open("wb") as logged:
            self._serve = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=logged,
                cwd=self.root,
                env=env,
                start_new_session=True,
                pass_fds=tuple(self.keep),
            )

    async def start(self) -> None:
        """Start it and return as soon as it listens; its worker and its Redis may not be there yet."""
        self.begin()
        await self.listening()

    async def listening(self) -> None:
        """Wait until it says where it listens."""
        match = await until(self._listens, within=30, why="the relay listens")
        self.url = match[1]

    def _listens(self) -> re.Match[str] | None:
        assert self._serve is not None
        assert self._serve.poll() is None, f"the relay ended: {self.last_words()}"
        return _URL.search(self._said.read_text(errors="replace"))

    @property
    def _said(self) -> Path:
        return self.folder / f"serve-{self._starts:02}.out"

    @property
    def _logged(self) -> Path:
        return self.folder / f"serve-{self._starts:02}.log"

    def last_words(self) -> str:
        """Return the end of what it said and logged."""
        return (self._said.read_text(errors="replace") + self._logged.read_text(errors="replace"))[-3000:]

    def processes(self, *roles: str) -> list[Found]:
        """Return the living processes on this data directory: all, or those of ``roles``."""
        found = [process for process in self._processes() if alive(process.pid)]
        return [process for process in found if not roles or process.role in roles]

    def _processes(self) -> Iterator[Found]:
        # By their command lines: a process that outlived its parent is still one of them.
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_text(errors="replace").split("\0") if folder.name.isdigit() else []
                if str(self.data_dir / "redis") in words:
                    yield Found(int(folder.name), "redis")
                elif str(self.config) in words:
                    yield Found(int(folder.name), "worker" if "worker" in words else "serve")

    async def one(self, role: str) -> int:
        """Return the process id of the one living process of a role."""
        found = await until(lambda: self.processes(role), within=30, why=f"a {role} lives")
        return int(found[0].pid)

    async def kill(self, role: str) -> int:
        """``kill -9`` the process of a role and return its id once it is gone."""
        pid = await self.one(role)
        send(pid, signal.SIGKILL)
        await until(lambda: not alive(pid), within=5, why=f"{role} {pid} is dead")
        if pid == self.pid:
            await self.ended(within=5)
        return pid

    async def kill_everything(self) -> None:
        """``kill -9`` of every process at once: the power cut of one machine."""
        while found := self.processes():
            for process in found:
                send(process.pid, signal.SIGKILL)
            await asyncio.sleep(0.01)
        if self._serve is not None:
            await until(lambda: self._collect() is not None, within=5, why="relay serve is collected")

    async def stop(self, *, within: float = 25.0) -> int:
        """SIGTERM; return the exit code."""
        send(self.pid, signal.SIGTERM)
        return await self.ended(within=within)

    async def ended(self, *, within: float) -> int:
        """Wait for ``relay serve`` to end by itself; return the exit code."""
        await until(lambda: self._collect() is not None, within=within, why="relay serve ends")
        code = self._collect()
        assert code is not None
        return code

    def _collect(self) -> int | None:
        return self._serve.poll() if self._serve is not None else None


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; harmless when the process is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _toml(top: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"{name} = {_value(value)}" for name, value in top.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_value, value)) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
