"""The relay that is measured: a real ``relay serve`` with its workers and its own server, in a folder of its own."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, NotReached
from bench.configuration import Channel, to_toml
from bench.people import Crowd
from bench.processes import cpu_seconds, family
from bench.store import Store
from relay.process import spawn, terminate
from relay.store.embedded import socket_url

_READY_WITHIN = 60.0
_GRACE = 20.0
_LAST_WORDS = 1500
_CONFIG = "relay.toml"
_LOG = "relay.log"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay: ``client`` speaks to it as an admin, ``store`` looks into its Redis.

    ``started`` is when its process was made, in wall-clock seconds; ``data`` is its data directory.
    """

    folder: Path
    data: Path
    url: str
    client: Client
    store: Store
    pid: int
    started: float
    say: Say

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.url.rpartition(":")[2])

    def processes(self) -> dict[str, int]:
        """Return the ids of its processes: ``api``, ``worker``, ``redis`` …"""
        return family(self.pid)

    def cpu(self) -> dict[str, float]:
        """Return the processor seconds used so far by ``api``, ``worker``, ``redis`` …"""
        return cpu_seconds(self.processes())

    async def fill(self, *crowds: Crowd) -> float:
        """Import recipients through the API; return how many a second."""
        count, took = sum(crowd.count for crowd in crowds), 0.0
        self.say(f"importing {count:,} recipients")
        for crowd in crowds:
            began = time.perf_counter()
            await self.client.import_people(crowd)
            took += time.perf_counter() - began
        return count / took


@asynccontextmanager
async def running(
    *channels: Channel,
    say: Say,
    workers: int = 1,
    allow: tuple[str, ...] = (),
    extra: str = "",
    folder: Path | None = None,
) -> AsyncIterator[Relay]:
    """Start a relay, wait until it accepts and sends, and end it.

    ``folder`` is for files that channels write; a data directory ``data`` in it is taken over.  It is removed.

    Raises:
        NotReached: it did not start; with its last words.
    """
    home = folder or new_folder()
    try:
        async with started(*channels, say=say, workers=workers, allow=allow, extra=extra, folder=home) as relay:
            yield relay
    finally:
        shutil.rmtree(home, ignore_errors=True)


@asynccontextmanager
async def started(
    *channels: Channel, say: Say, folder: Path, workers: int = 1, allow: tuple[str, ...] = (), extra: str = ""
) -> AsyncIterator[Relay]:
    """Do the same as :func:`running`, and leave the folder, so that it can be started again.

    Raises:
        NotReached: it did not start; with its last words.
    """
    port, data = free_port(), folder / "data"
    config = to_toml(channels, data_dir=data, port=port, allow=allow, extra=extra)
    (folder / _CONFIG).write_text(config, encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    async with launched(folder, workers=workers) as process:
        key = await _ready(process, url, folder)
        store = Store(socket_url(data))
        async with Client.to(url, key) as client:
            try:
                yield Relay(folder, data, url, client, store, process.handle.pid, process.began, say)
            finally:
                await store.close()


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that may not be ready yet; ``began`` is when it was started, in wall-clock seconds."""

    handle: Process
    began: float
    workers: int


@asynccontextmanager
async def launched(folder: Path, *, workers: int) -> AsyncIterator[Launched]:
    """Start the relay whose configuration is ``folder/relay.toml`` without waiting for it, and end it."""
    words = [sys.executable, "-m", "relay", "--config", str(folder / _CONFIG), "serve", "--workers", str(workers)]
    began = time.time()
    with (folder / _LOG).open("wb") as output:
        process = await spawn(words, output=output.fileno())
    try:
        yield Launched(process, began, workers)
    finally:
        await terminate(process, grace=_GRACE)


def new_folder() -> Path:
    """Return a folder that is removed with the relay."""
    return Path(tempfile.mkdtemp(prefix="chapar-bench-"))


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _ready(process: Launched, url: str, folder: Path) -> str:
    """Wait for the API and its workers; return the admin key."""
    try:
        async with asyncio.timeout(_READY_WITHIN):
            while process.handle.returncode is None:
                if admin := _text(folder / "data" / "admin.key").strip():
                    async with Client.to(url, admin) as client:
                        if await client.workers(since=process.began) >= process.workers:
                            return client.key
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    raise NotReached(f"the relay did not get ready. Its last words: {_text(folder / _LOG)[-_LAST_WORDS:]}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
