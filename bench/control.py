"""How a process of the bench is asked and answers: a line in, a line of JSON out, until its input ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

import orjson

Answer = Callable[[str], Awaitable[object]]


async def serve(port: int, answers: Mapping[str, Answer]) -> None:
    """Say the port, then answer ``<word> <argument>`` with what ``answers[word]`` returns for the argument."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    _say(port)
    while line := await reader.readline():
        word, _, argument = line.decode().strip().partition(" ")
        _say(await answers[word](argument))


def _say(value: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()
