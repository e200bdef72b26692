"""One blocking connection to the relay: for single requests whose time or size on the wire counts."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from bench.http1 import Answer, cut

_WITHIN = 30.0


class Wire:
    """A kept connection to a port of loopback; ``received`` counts what came over it."""

    def __init__(self, port: int, *, within: float = _WITHIN) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=within)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self.received = 0

    def ask(self, request: bytes) -> Answer:
        """Send a request and return the answer.

        Raises:
            OSError: the connection was lost, or nothing came in time.
        """
        self._socket.sendall(request)
        while (answer := cut(self._buffer)) is None:
            self._read()
        return answer

    def listen(self, request: bytes, *, seconds: float) -> int:
        """Send a request whose answer does not end; return how many bytes come within ``seconds`` after its head."""
        self._socket.sendall(request)
        while b"\r\n\r\n" not in self._buffer:
            self._read()
        return self.more(seconds=seconds)

    def more(self, *, seconds: float) -> int:
        """Return how many bytes come within ``seconds``."""
        before, ends = self.received, time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self._socket.settimeout(left)
            with suppress(TimeoutError):
                self._read()
        return self.received - before

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _read(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the relay closed the connection")
        self.received += len(data)
        self._buffer += data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
