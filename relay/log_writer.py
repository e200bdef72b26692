"""The thread that writes log lines, so that nobody waits for whoever reads them."""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from select import PIPE_BUF

MOST_WAITING = 10_000
CLOSE_WITHIN = 1.0
BATCH = 256
REST = 0.005
"""Seconds between two batches: to wake a thread for each line costs more than the line."""


class LogWriter:
    """Lines written in order by a thread of their own.

    A reader that stops reading (a full pipe, a terminal on hold) never stops the relay: 10,000 lines wait, further
    ones are dropped, and the next line that gets through is followed by how many were.  ``kill -9`` loses what waits.
    """

    def __init__(self, fd: int, *, most: int = MOST_WAITING) -> None:
        self.dropped = 0
        self._fd = fd
        self._most = most
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def write(self, line: bytes) -> None:
        """Take one line without its end; it is written soon, or dropped when too many wait."""
        with self._changed:
            if len(self._lines) >= self._most:
                self.dropped += 1
                return
            self._lines.append(line + b"\n")
            self._changed.notify()

    def close(self, *, within: float = CLOSE_WITHIN) -> None:
        """Write what waits, for at most ``within`` seconds.  Harmless when done twice."""
        with self._changed:
            self._closing.set()
            self._changed.notify()
        self._thread.join(within)
        atexit.unregister(self.close)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closing.is_set():
                    self._changed.wait()
                if not self._lines:
                    return
                batch = [self._lines.popleft() for _ in range(min(len(self._lines), BATCH))]
                if self.dropped:
                    batch.append(b'{"level":"error","event":"log_lines_dropped","count":%d}\n' % self.dropped)
                    self.dropped = 0
            self._put(batch)
            self._closing.wait(REST)

    def _put(self, batch: list[bytes]) -> None:
        try:
            for lines in _whole(batch):
                rest = memoryview(lines)
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
        except OSError:
            return  # nobody can be told: the place for telling is what failed


def _whole(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines as long as a write stays whole for others: several processes share a descriptor."""
    joined = b""
    for line in lines:
        if joined and len(joined) + len(line) > PIPE_BUF:
            yield joined
            joined = b""
        joined += line
    if joined:
        yield joined
