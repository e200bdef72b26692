"""The node's copy of the directory: a file that survives the total loss of Redis, ordinals included (design §18).

One JSON object a line, ``{"o": ordinal, "d": denied slots, "r": recipient}``; a later line replaces an earlier one.
The first line and the last of every addition is ``{"v": 1, "epoch": …, "position": …, "lines": …, "rows": …}``, so that
a start reads the end of the file only: a million recipients take seconds.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

log = structlog.get_logger()

_VERSION = 1
_NAME = "directory.ndjson"
_TAIL = 4096  # more than a header has


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the recipient as stored (JSON), and his denied slots as a bitmask."""

    denied: int
    text: bytes


class Copy:
    """The file; used by one task at a time."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _NAME
        self._lines = 0
        self._rows = 0
        self.epoch = ""
        self.position = ""
        #: The file ends, or may end, in half a line: what is appended after that would not be read.
        self.torn = False

    def look(self) -> bool:
        """Take in what the end of the file says; False when only :meth:`read` can tell: it is torn, or an older one."""
        if not self._path.exists():
            return True
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - _TAIL))
            end = file.read()
        *_, last = end.removesuffix(b"\n").split(b"\n")
        try:
            header = orjson.loads(last) if end.endswith(b"\n") else {}
        except orjson.JSONDecodeError:
            header = {}
        if not header.keys() >= {"v", "epoch", "position", "lines", "rows"}:
            return False
        self.epoch, self.position = header["epoch"], header["position"]
        self._lines, self._rows, self.torn = header["lines"], header["rows"], False
        return True

    def read(self) -> dict[int, Row]:
        """Return every row and take the header in; blocks, so run it in a thread.  A damaged line is passed over."""
        rows: dict[int, Row] = {}
        self._lines, self.torn = 0, False
        for line in self._read_lines():
            self._lines += 1
            if "v" in line:
                self.epoch, self.position = line["epoch"], line["position"]
            else:
                rows[line["o"]] = Row(line["d"], orjson.dumps(line["r"]))
        self._rows = len(rows)
        return rows

    def since(self, position: str) -> dict[int, Row]:
        """Return at least every row that changed after ``position``; blocks, so run it in a thread."""
        rows: dict[int, Row] = {}
        for line in self._read_lines():
            if "v" not in line:
                rows[line["o"]] = Row(line["d"], orjson.dumps(line["r"]))
            elif order(line["position"]) <= order(position):
                rows.clear()
        return rows

    def _read_lines(self) -> Iterator[dict[str, Any]]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for line in file:
                self.torn |= not line.endswith(b"\n")
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError:
                    # What follows is good: were it dropped, all who came after would be forgotten with this one.
                    self.torn = True
                    log.warning("directory_copy_torn", bytes=len(line))

    @property
    def bloated(self) -> bool:
        """Whether the file is worth writing again whole: it has grown too much since that was done, or is torn."""
        return self.torn or self._lines > 2 * self._rows + 100_000

    async def write(self, rows: Mapping[int, Row], *, epoch: str, position: str) -> None:
        """Replace the whole file, atomically and durably.

        Raises:
            OSError: it cannot be written; the file is what it was.
        """
        header = _header(epoch, position, lines=len(rows) + 2, rows=len(rows))
        await asyncio.to_thread(self._replace, rows, header)
        self.epoch, self.position, self.torn = epoch, position, False
        self._lines, self._rows = len(rows) + 2, len(rows)

    async def add(self, rows: Mapping[int, Row], *, position: str, durable: bool) -> None:
        """Append changed rows and how far the changes have been followed.

        Raises:
            OSError: it cannot be written; :attr:`torn` from now on, until the file was written whole.
        """
        lines = self._lines + len(rows) + 1
        header = _header(self.epoch, position, lines=lines, rows=self._rows)
        data = b"".join((*map(_line, rows.items()), header))
        try:
            await asyncio.to_thread(self._append, data, durable)
        except OSError:
            self.torn = True
            raise
        self.position, self._lines = position, lines

    async def sync(self) -> None:
        """Make everything that was appended durable.

        Raises:
            OSError: the disk is broken.
        """
        if self._path.exists():
            await asyncio.to_thread(self._append, b"", True)  # noqa: FBT003

    def _append(self, data: bytes, durable: bool) -> None:  # noqa: FBT001
        with open(self._path, "ab", opener=_private) as file:
            file.write(data)
            file.flush()
            if durable:
                os.fdatasync(file.fileno())

    def _replace(self, rows: Mapping[int, Row], header: bytes) -> None:
        fresh = self._path.with_suffix(".new")
        with open(fresh, "wb", opener=_private) as file:
            file.write(header)
            file.writelines(map(_line, rows.items()))
            file.write(header)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(self._path)


def order(position: str) -> tuple[int, int]:
    """Return a position in the stream of changes as numbers that compare."""
    ms, _, number = position.partition("-")
    return int(ms or 0), int(number or 0)


def _header(epoch: str, position: str, *, lines: int, rows: int) -> bytes:
    header = {"v": _VERSION, "epoch": epoch, "position": position, "lines": lines, "rows": rows}
    return orjson.dumps(header) + b"\n"


def _line(item: tuple[int, Row]) -> bytes:
    ordinal, row = item
    return b'{"o":%d,"d":%d,"r":%b}\n' % (ordinal, row.denied, row.text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
