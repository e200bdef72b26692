"""A fake provider as a process of its own: ``python -m tests.chaos.sinks KIND LOG SEED``.

It prints its port, takes moods as JSON lines on its standard input and answers each with a line, and ends with it.
What it took is in its log, on disk, before it answers anybody.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.chaos.log import Log
from tests.chaos.moods import Mood, Temper
from tests.chaos.sink_sms import SmsSink
from tests.chaos.sink_smtp import SmtpSink
from tests.chaos.sink_webhook import WebhookSink


class Sink(Protocol):
    """One provider's server."""

    port: int

    async def start(self) -> None:
        """Listen on loopback; the first time on a free port, later on the same."""

    async def stop(self) -> None:
        """Refuse connections and reset those that are open."""


KINDS: dict[str, Callable[[Log, Temper], Sink]] = {
    "webhook": WebhookSink,
    "sms": SmsSink,
    "sms-backup": SmsSink,
    "email": SmtpSink,
}


async def main(kind: str, log: Path, seed: str) -> None:
    """Serve until standard input ends."""
    temper = Temper(chance=random.Random(f"{kind} {seed}"))
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    with Log(log) as truth:
        sink = KINDS[kind](truth, temper)
        await sink.start()
        print(sink.port, flush=True)
        listens = True
        while line := await reader.readline():
            temper.hear(line)
            if listens and temper.mood is Mood.REFUSE:
                await sink.stop()
            elif not listens and temper.mood is not Mood.REFUSE:
                await sink.start()
            listens = temper.mood is not Mood.REFUSE
            print(temper.mood, flush=True)
        if listens:
            await sink.stop()
    transport.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
