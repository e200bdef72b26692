"""Sinks that are processes of their own and answer on their standard output (see ``bench.control``)."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from bench.client import NotReached
from relay.process import terminate

_BEGINS = 20.0
_WITHIN = 120.0


class Sink:
    """A running sink; ``port`` is where it listens on loopback."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self.port = port

    async def ask(self, question: str, *, within: float = _WITHIN) -> Any:  # noqa: ANN401 -- each sink's own
        """Return the answer to a question.

        Raises:
            NotReached: the sink has ended.
        """
        if self._process.stdin is None:
            raise NotReached("the sink cannot be asked")
        self._process.stdin.write(question.encode() + b"\n")
        return await _read(self._process, within=within)


@asynccontextmanager
async def sink(module: str, *arguments: str) -> AsyncIterator[Sink]:
    """Start ``python -m module`` and yield it; it ends after use."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        yield Sink(process, int(await _read(process, within=_BEGINS)))
    finally:
        await terminate(process, grace=5)


async def _read(process: Process, *, within: float) -> Any:  # noqa: ANN401 -- each sink's own
    if process.stdout is None:
        raise NotReached("the sink says nothing")
    async with asyncio.timeout(within):
        line = await process.stdout.readline()
    if not line:
        raise NotReached("the sink has ended")
    return orjson.loads(line)
