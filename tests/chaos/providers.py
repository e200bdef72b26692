"""The fake providers from the campaign's side: processes that are started, told their mood and ended."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from tests.acceptance.relay_side import ROOT
from tests.chaos.moods import Mood


class Provider:
    """One fake provider; ``kind`` is sms, email or webhook, ``port`` where it listens, ``log`` its ground truth."""

    def __init__(self, kind: str, folder: Path, *, seed: int) -> None:
        self.kind, self.seed = kind, seed
        self.log = folder / f"{kind}.jsonl"
        self.port = 0
        self._folder = folder
        self._process: Process | None = None
        self._telling = asyncio.Lock()

    async def start(self) -> None:
        """Start the process and wait until it listens."""
        words = [sys.executable, "-m", "tests.chaos.sinks", self.kind, str(self.log), str(self.seed)]
        with (self._folder / f"{self.kind}.err").open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                *words, stdin=PIPE, stdout=PIPE, stderr=said, cwd=ROOT, start_new_session=True
            )
        self.port = int(await self._line(within=30))

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    async def feel(self, mood: Mood, **more: Any) -> None:
        """Put it into a mood; ``share`` and ``seconds`` may be given."""
        assert self._process is not None
        assert self._process.stdin is not None
        async with self._telling:
            self._process.stdin.write(orjson.dumps({"mood": mood, **more}) + b"\n")
            await self._process.stdin.drain()
            said = await self._line(within=20)
        assert said == mood, f"{self.kind} says {said}"

    async def end(self) -> None:
        """End the process; its log stays."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _line(self, *, within: float) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(within):
            line = await self._process.stdout.readline()
        assert line, f"the fake {self.kind} provider ended: {(self._folder / f'{self.kind}.err').read_text()[-2000:]}"
        return line.decode().strip()
