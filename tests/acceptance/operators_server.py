"""A Redis of the operator's, beside the relay."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from relay.store.keys import CTL_WORKERS, Partition
from relay.store.server_choice import wheel_binaries
from tests.acceptance.relay_side import free_port, until


class Server:
    """A server of the operator's: nothing of it is on disk, so its death is a total loss."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        words = [str(wheel_binaries()[0]), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(words, cwd=self._folder, stdout=log, stderr=log)
        await until(self.keys, within=20, why="the server answers")

    async def keys(self) -> list[Any]:
        """Return one in a list: how many keys it holds; an empty list while it does not answer."""
        client = Redis(port=self.port)
        try:
            return [await client.dbsize()]
        except RedisError:
            return []
        finally:
            await client.aclose()

    async def workers(self) -> list[dict[str, Any]]:
        """Return the heartbeats of all workers."""
        async with Redis(port=self.port) as client:
            return [orjson.loads(beat) for beat in (await client.hgetall(CTL_WORKERS)).values()]

    async def reset_commands(self) -> None:
        """Count commands anew."""
        async with Redis(port=self.port) as client:
            await client.config_resetstat()

    async def commands(self) -> dict[str, int]:
        """Return how often each command ran since :meth:`reset_commands`, inside scripts too; not this one's own."""
        async with Redis(port=self.port) as client:
            found = await client.info("commandstats")
        counts = {name.removeprefix("cmdstat_"): int(said["calls"]) for name, said in found.items()}
        return {name: calls for name, calls in counts.items() if not name.startswith(("client", "config", "hello"))}

    async def watch(self, claims: list[str]) -> None:
        """Note every claim, until cancelled: only that script is called with the key that counts turns."""
        async with Redis(port=self.port) as client, client.monitor() as monitor:
            while True:
                command = (await monitor.next_command())["command"]
                if command.upper().startswith("EVALSHA") and Partition().turn("") in command:
                    claims.append(command)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
