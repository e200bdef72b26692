"""A log that survives what it describes: one JSON object a line, on disk before anybody acts on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

Line = dict[str, Any]


class Log:
    """Appends to one file; every line carries ``t``, the wall clock in seconds, and is synced when written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def write(self, *, t: float | None = None, **fields: Any) -> float:
        """Write one line and return its time; ``t`` is for what was seen before it could be written."""
        now = time.time() if t is None else t
        os.write(self._fd, orjson.dumps({"t": round(now, 4), **fields}) + b"\n")
        os.fdatasync(self._fd)
        return now

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def read(path: Path) -> Iterator[Line]:
    """Yield the lines of a log; a torn last one is left out, for nobody acted on it."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)
