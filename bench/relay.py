"""The relay that is measured: a real ``relay serve`` with one worker and its own server, in a folder of its own."""

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

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay: ``client`` speaks to it as an admin, ``store`` looks into its Redis."""

    folder: Path
    client: Client
    store: Store
    pid: int
    say: Say

    def cpu(self) -> dict[str, float]:
        """Return the processor seconds used so far by ``api``, ``worker`` and ``redis``."""
        return cpu_seconds(family(self.pid))

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
    *channels: Channel, say: Say, allow: tuple[str, ...] = (), extra: str = "", folder: Path | None = None
) -> AsyncIterator[Relay]:
    """Start a relay, wait until it accepts and sends, and end it; ``folder`` is for files that channels write.

    Raises:
        NotReached: it did not start; with its last words.
    """
    home = folder or new_folder()
    port = free_port()
    config = home / "relay.toml"
    config.write_text(to_toml(channels, data_dir=home / "data", port=port, allow=allow, extra=extra), encoding="utf-8")
    log = home / "relay.log"
    words = [sys.executable, "-m", "relay", "--config", str(config), "serve", "--workers", "1"]
    with log.open("wb") as output:
        process = await spawn(words, output=output.fileno())
    try:
        url = f"http://127.0.0.1:{port}"
        key = await _ready(process, url, home / "data" / "admin.key", log)
        store = Store(socket_url(home / "data"))
        async with Client.to(url, key) as client:
            try:
                yield Relay(home, client, store, process.pid, say)
            finally:
                await store.close()
    finally:
        await terminate(process, grace=_GRACE)
        shutil.rmtree(home, ignore_errors=True)


def new_folder() -> Path:
    """Return a folder that is removed with the relay."""
    return Path(tempfile.mkdtemp(prefix="chapar-bench-"))


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _ready(process: Process, url: str, key: Path, log: Path) -> str:
    """Wait for the API and its worker; return the admin key."""
    try:
        async with asyncio.timeout(_READY_WITHIN):
            while process.returncode is None:
                if admin := _text(key).strip():
                    async with Client.to(url, admin) as client:
                        if await client.has_worker():
                            return client.key
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    raise NotReached(f"the relay did not get ready. Its last words: {_text(log)[-_LAST_WORDS:]}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
