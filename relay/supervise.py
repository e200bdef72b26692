"""Supervision: the parts of one process, and the child processes of one relay."""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from relay.clock import Clock
from relay.process import exited_or_stopping, pause, restart_after, spawn, terminate

log = structlog.get_logger()


class Part(Protocol):
    """Something that runs until it is told to stop."""

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, finish what is in flight, return."""
        ...


async def run(parts: Mapping[str, Part], *, stopping: asyncio.Event, grace: float) -> None:
    """Run ``parts`` until ``stopping`` is set, then let them finish for ``grace`` seconds.

    Work still in flight after that is cancelled.  Nothing is lost: its lease runs out.

    Raises:
        ExceptionGroup: a part failed; the others were cancelled.
    """
    running: set[str] = set(parts)
    try:
        async with asyncio.timeout(None) as deadline, asyncio.TaskGroup() as tasks:
            for name, part in parts.items():
                task = tasks.create_task(part.run(stopping), name=name)
                task.add_done_callback(lambda done: running.discard(done.get_name()) if not done.cancelled() else None)
            await stopping.wait()
            deadline.reschedule(asyncio.get_running_loop().time() + grace)
    except TimeoutError:
        if not deadline.expired():
            raise
        log.warning("parts_cancelled", parts=sorted(running), grace=grace)


class Child:
    """One child process that is started again whenever it ends before it was told to.

    ``pid`` is None while it does not run; ``starts`` counts how often it was started; ``ready`` is set once it has
    said so through the descriptor that ``--ready-fd`` names to it (``tells_ready``: it is given one).
    """

    def __init__(
        self, name: str, command: Sequence[str], *, clock: Clock, grace: float, tells_ready: bool = False
    ) -> None:
        self.name = name
        self.starts = 0
        self.ready = asyncio.Event()
        self._command = tuple(command)
        self._tells_ready = tells_ready
        self._clock = clock
        self._grace = grace
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while the child runs."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep the child running until ``stopping`` is set; then TERM, and KILL after the grace."""
        failures = 0
        try:
            while not stopping.is_set():
                began = self._clock.monotonic()
                code = await self._live(stopping)
                if stopping.is_set():
                    break
                decision = restart_after(lived=self._clock.monotonic() - began, failures=failures)
                failures = decision.failures
                log.error("child_died", child=self.name, code=code, pause=decision.pause)
                await pause(stopping, seconds=decision.pause)
            await self._stop()
        finally:
            self._kill()

    async def _live(self, stopping: asyncio.Event) -> int | None:
        self.starts += 1
        try:
            self._process = await self._spawn()
        except OSError as error:
            log.error("child_not_started", child=self.name, error=str(error))  # noqa: TRY400 - the sentence says it all
            return None
        log.info("child_started", child=self.name, pid=self._process.pid)
        await exited_or_stopping(self._process, stopping)
        return self._process.returncode

    async def _spawn(self) -> Process:
        if not self._tells_ready:
            return await spawn(self._command)
        reads, writes = os.pipe()
        try:
            process = await spawn([*self._command, "--ready-fd", str(writes)], keep=[writes])
        except OSError:
            os.close(reads)
            raise
        finally:
            os.close(writes)
        asyncio.get_running_loop().add_reader(reads, self._hear, reads)
        return process

    def _hear(self, reads: int) -> None:
        """Take the one byte of a child that is ready; its end comes to the same descriptor."""
        if os.read(reads, 1):
            self.ready.set()
        asyncio.get_running_loop().remove_reader(reads)
        os.close(reads)

    async def _stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        gentle = await terminate(self._process, grace=self._grace)
        if gentle:
            log.info("child_stopped", child=self.name, code=self._process.returncode)
        else:
            log.warning("child_killed", child=self.name, grace=self._grace)

    def _kill(self) -> None:
        # Only when this task itself was cancelled: whoever cancels does not want to wait.
        if self.pid is not None and self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
