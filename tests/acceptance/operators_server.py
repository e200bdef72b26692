"""A Redis of the operator's, beside the relay."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

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

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
