"""The relay's own private Redis or Valkey server: started, watched, started again, stopped (design §11)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from pathlib import Path
from urllib.parse import quote

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.process import ended, exited_or_stopping, pause, restart_after, spawn, terminate
from relay.store.server_choice import Server, candidates, choose
from relay.store.server_files import ServerFiles, says_unreadable

log = structlog.get_logger()

READY_WITHIN = 60.0
OLD_SERVER_WITHIN = 15.0
SHUTDOWN_WITHIN = 10.0
TERM_WITHIN = 5.0
ANSWER_WITHIN = 2.0
POLL = 0.01


class _FilesUnreadable(StoreUnavailable):
    """The server cannot load what is in its files."""


def socket_url(data_dir: Path) -> str:
    """Return the URL of the private server of this data directory, for a process that did not start it."""
    return "unix://" + quote(str(ServerFiles(data_dir).socket))


class EmbeddedServer:
    """A private server on a Unix socket in ``<data_dir>/redis``.

    Whoever starts it holds the role lock of the data directory, so that only one relay does.  The journal makes
    ``appendfsync everysec`` safe.  ``restarts`` counts the unwanted deaths that were repaired;
    ``set_aside`` lists where unreadable files went (the server then started empty).
    """

    def __init__(self, data_dir: Path, *, clock: Clock, server: str = "") -> None:
        """``server`` is ``redis.server``: an explicit path, or empty for the order of design §11."""
        self.restarts = 0
        self.set_aside: list[Path] = []
        self._server: Server | None = None
        self._explicit = server
        self._clock = clock
        self._files = ServerFiles(data_dir)
        self._process: Process | None = None
        self._said_before: int | None = None  # of a server that was launched and has not answered yet
        self._started = False

    @property
    def pid(self) -> int | None:
        """The process id, while the server runs."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    @property
    def title(self) -> str:
        """Family and version for people, for example ``Valkey 9.1.2``; empty before the start."""
        return str(self._server or "")

    @property
    def log_path(self) -> Path:
        """Where the server itself writes what happens to it."""
        return self._files.log

    @property
    def url(self) -> str:
        """How clients reach it."""
        return "unix://" + quote(str(self._files.socket))

    async def begin(self) -> None:
        """Launch the server without waiting for it, unless an older one is in the way; :meth:`start` does the rest.

        It may need seconds to load its files, in which the one who starts it has other things to do.

        Raises:
            ConfigError: no fitting server is here, or none that reads the files of the one before.
            RuntimeError: not called from the main thread.
        """
        self._files.prepare()
        lock = self._files.take_lock()
        if lock is None:
            return
        os.close(lock)
        server = await self._pick()
        with contextlib.suppress(OSError, StoreUnavailable):  # it is launched once more, and then that is said
            await self._launch(server)

    async def start(self) -> str:
        """Start the server and return its URL.  It may still be loading a large file when this returns.

        Raises:
            ConfigError: no fitting server is here, or none that reads the files of the one before.
            StoreUnavailable: it does not start; the message holds its last words.
            RuntimeError: not called from the main thread.
        """
        self._files.prepare()
        server = self._server
        if server is None or self._said_before is None:
            await self._end_old_server()
            server = await self._pick()
        await self._bring_up(server)
        self._started = True
        log.info("redis_started", server=str(server), path=str(server.path), pid=self.pid)
        return self.url

    async def _pick(self) -> Server:
        made = self._files.made()
        self._server = server = await asyncio.to_thread(self._choose, made)
        self._files.note(server)
        return server

    async def run(self, stopping: asyncio.Event) -> None:
        """Start the server, again whenever it dies, until ``stopping`` is set.  It lives on until :meth:`stop`.

        Raises:
            ConfigError: see :meth:`start`, as for other errors.
        """
        if not self._started:
            await self.start()
        failures = 0
        began = self._clock.monotonic()
        while not stopping.is_set():
            if self._process is not None:
                await exited_or_stopping(self._process, stopping)
            if stopping.is_set():
                return
            decision = restart_after(lived=self._clock.monotonic() - began, failures=failures)
            failures = decision.failures
            log.error("redis_died", code=self._process and self._process.returncode, pause=decision.pause)
            await pause(stopping, seconds=decision.pause)
            if stopping.is_set():
                return
            began = self._clock.monotonic()
            if self._server is not None:
                await self._start_again(self._server)

    async def stop(self) -> None:
        """Ask the server to write everything and end; TERM, then KILL if it does not.  Harmless when done twice."""
        if self._process is not None and self._process.returncode is None:
            asked = self._said_before is None  # else nobody has heard of it yet: it may not even listen
            if asked:
                await ask(self._files.socket, "SHUTDOWN NOSAVE NOW")
            if not await ended(self._process, within=SHUTDOWN_WITHIN if asked else 0):
                gentle = await terminate(self._process, grace=TERM_WITHIN)
                if asked or not gentle:
                    log.warning("redis_did_not_stop_when_asked", killed=not gentle)
            log.info("redis_stopped", code=self._process.returncode)
        self._process = None
        with contextlib.suppress(OSError):
            self._files.forget_socket()

    def _choose(self, made: Server | None) -> Server:
        return choose(candidates(self._explicit, made), made=made, folder=self._files.folder)

    async def _start_again(self, server: Server) -> None:
        try:
            await self._bring_up(server)
        except (StoreUnavailable, OSError) as error:
            log.error("redis_not_restarted", error=str(error))  # noqa: TRY400 - the sentence says it all
            return
        self.restarts += 1
        log.warning("redis_restarted", pid=self.pid, restarts=self.restarts)

    async def _bring_up(self, server: Server) -> None:
        try:
            if self._said_before is None:
                await self._launch(server)
            await self._wait_ready()
        except _FilesUnreadable as error:
            moved = self._files.set_aside()
            self.set_aside.append(moved)
            log.critical(
                "redis_files_unreadable",
                moved_to=str(moved),
                error=str(error),
                meaning="the server starts empty; what was accepted is applied again from the journal",
            )
            await self._launch(server)
            await self._wait_ready()

    async def _launch(self, server: Server) -> None:
        self._files.keep_socket_place()
        lock = await self._lock(within=OLD_SERVER_WITHIN)
        output = self._files.open_log()
        try:
            said_before = os.fstat(output).st_size
            self._process = await spawn(self._command(server), output=output, keep=[lock])
        finally:
            # The server inherited both; only its copy of the lock may count.
            os.close(lock)
            os.close(output)
        self._files.write_pid(self._process.pid)
        self._said_before = said_before

    async def _wait_ready(self) -> None:
        process, said_before = self._process, self._said_before or 0
        self._said_before = None
        if process is None:
            raise StoreUnavailable("the private server was not launched")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_WITHIN
        while process.returncode is None:
            answer = await ask(self._files.socket, "PING")
            if answer.startswith("+PONG"):
                return
            if loop.time() > deadline:
                if answer.startswith("-LOADING"):
                    log.warning("redis_still_loading", waited=READY_WITHIN)
                    return
                await terminate(process, grace=TERM_WITHIN)
                raise StoreUnavailable(f"the private server did not answer in {READY_WITHIN:.0f} s: {self.log_path}")
            await asyncio.sleep(POLL)
        words = _read_from(self.log_path, said_before)
        kind = _FilesUnreadable if says_unreadable(words) else StoreUnavailable
        last = next((line for line in reversed(words.splitlines()) if line.strip()), "nothing")
        raise kind(f"the private server ended with code {process.returncode} while starting; it said: {last}")

    async def _end_old_server(self) -> None:
        """End a server of ours that outlived its relay (no death signal on this system, or still writing)."""
        lock = self._files.take_lock()
        if lock is not None:
            os.close(lock)
            return
        pid = self._files.old_pid()
        log.warning("redis_left_over", pid=pid)
        await ask(self._files.socket, "SHUTDOWN NOSAVE NOW")
        self._signal(pid, signal.SIGTERM)
        try:
            os.close(await self._lock(within=OLD_SERVER_WITHIN))
        except StoreUnavailable:
            self._signal(self._files.old_pid(), signal.SIGKILL)
            os.close(await self._lock(within=OLD_SERVER_WITHIN))

    def _signal(self, pid: int | None, number: signal.Signals) -> None:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    async def _lock(self, *, within: float) -> int:
        # A rewriting child of a killed server holds the lock a little longer than the server itself.
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while (lock := self._files.take_lock()) is None:
            if loop.time() > deadline:
                raise StoreUnavailable(f"another server still works on {self._files.folder} and does not end")
            await asyncio.sleep(POLL)
        return lock

    def _command(self, server: Server) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._files.socket),
            "unixsocketperm": "700",
            "dir": str(self._files.folder),
            "databases": "1",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            # The process keeps its words, by which a later relay knows that it is ours.
            "set-proc-title": "no",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return [str(server.path), *words]


async def ask(socket: Path, command: str) -> str:
    """Send one inline command and return the first line of the answer; empty when there is none in two seconds."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            try:
                writer.write(f"{command}\r\n".encode())
                return (await reader.readline()).decode("utf-8", "replace")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return ""


def _read_from(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(65536).decode("utf-8", "replace")
