"""Server processes for the topologies of tests: started, asked, signalled."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

READY_WITHIN = 30.0


class TopologyError(Exception):
    """A server did not start, or the topology did not become what it should be in time."""


@dataclass(slots=True)
class Node:
    """One server process; ``role`` is what it was started as (``data`` or ``sentinel``)."""

    name: str
    port: int
    folder: Path
    command: list[str]
    role: str = "data"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether the process runs (a paused one does)."""
        return self.process is not None and self.process.poll() is None

    def call(self, *words: str | int) -> Any:
        """Run one command there and return the reply as text.

        Raises:
            redis.RedisError: it does not answer in a second, or refuses.
        """
        with redis.Redis(
            port=self.port,
            socket_timeout=1,
            socket_connect_timeout=1,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            return client.execute_command(*words)

    def is_primary(self) -> bool:
        """Whether it answers, and as a primary."""
        with contextlib.suppress(redis.RedisError, OSError):
            return bool(self.call("ROLE")[0] == "master")
        return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        if self.process is not None and self.alive:
            os.kill(self.process.pid, number)


def launch(node: Node) -> None:
    """Start the process of a node."""
    node.folder.mkdir(parents=True, exist_ok=True)
    command = node.command
    # A killed test run must leave no servers behind; the death signal follows the thread, so only from the main one.
    if threading.current_thread() is threading.main_thread() and (setpriv := shutil.which("setpriv")):
        command = [setpriv, "--pdeathsig", "KILL", *command]
    with (node.folder / "output").open("ab") as output:
        node.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def answers(node: Node) -> bool:
    """Whether a node answers.

    Raises:
        TopologyError: it has ended.
    """
    if not node.alive:
        words = b"".join(
            (node.folder / name).read_bytes() for name in ("output", "log") if (node.folder / name).exists()
        )
        raise TopologyError(f"{node.name} ended: {words[-500:].decode('utf-8', 'replace')}")
    with contextlib.suppress(redis.RedisError, OSError):
        return bool(node.call("PING"))
    return False


def free_ports(count: int) -> list[int]:
    """Return ports that nobody has now; all are held at once, so that they differ."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [holder.getsockname()[1] for holder in holders]
    finally:
        for holder in holders:
            holder.close()


def until(true: Callable[[], bool], words: str, *, within: float = READY_WITHIN) -> None:
    """Wait until ``true`` is, asking again after errors.

    Raises:
        TopologyError: it did not come true in time; says ``words``.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            if true():
                return
        except (redis.RedisError, OSError, KeyError):
            pass
        if time.monotonic() > deadline:
            raise TopologyError(words)
        time.sleep(0.02)
