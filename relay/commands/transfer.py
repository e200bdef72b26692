"""Long files up and down, in pieces, with a progress bar for people."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from relay.commands.client import NDJSON, Answer, Client
from relay.commands.failures import Failed
from relay.commands.input_file import opened, read_bytes, size

PIECE = 64 * 1024

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class OneObject:
    """A file that holds one JSON object: its bytes as they are, and the object."""

    body: bytes
    document: dict[str, Any]


def upload(client: Client, path: str, file: Path) -> Answer:
    """Send a file of lines while it is read; ``-`` is standard input.

    Raises:
        Failed: it cannot be read.
    """
    try:
        with opened(file) as source, progress("import", size(file)) as advance:
            return client.upload(path, _pieces(source, advance), media=NDJSON)
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}") from error


def download(client: Client, path: str, file: Path) -> int:
    """Write the answer to ``file``, which only its owner may read; return how many lines it has.

    The file appears when it is whole; one of that name is replaced.

    Raises:
        Failed: it cannot be written.
    """
    draft = file.with_name(f".{file.name}.part")
    lines = 0

    def take(piece: bytes) -> None:
        nonlocal lines
        lines += piece.count(b"\n")
        target.write(piece)
        advance(len(piece))

    try:
        with _private(draft) as target, progress("export", None) as advance:
            client.download(path, take)
        draft.replace(file)
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    return lines


def to_stdout(client: Client, path: str) -> None:
    """Write the answer to standard output as it comes."""
    client.download(path, sys.stdout.buffer.write)
    sys.stdout.buffer.flush()


def read_object(file: Path) -> OneObject:
    """Read a file that holds one JSON object; ``-`` is standard input.

    Raises:
        Failed: it holds something else, or cannot be read.
    """
    body = read_bytes(file)
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise Failed(f"{file} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Failed(f"{file} holds no JSON object; a list goes through `relay recipients import`, one object a line")
    return OneObject(body, document)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Advance]:
    """Show a bar on standard error while something runs, if a person looks at it; give what moves it on."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


def _private(file: Path) -> BinaryIO:
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


async def _pieces(source: BinaryIO, advance: Advance) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(source.read, PIECE):
        yield piece
        advance(len(piece))
