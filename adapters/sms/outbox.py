"""PDUs on their way out: all that is queued in one turn of the loop leaves in one system call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from adapters.sms.codec import encode
from adapters.sms.pdu import Pdu

_MAX_UNSENT: Final = 1 << 20  # bytes; a peer that reads nothing of what it asked for is gone


class Outbox:
    """Writes PDUs to a transport; ``stuck`` is called when the peer takes nothing any more."""

    def __init__(self, stuck: Callable[[], None]) -> None:
        self._stuck = stuck
        self._loop = asyncio.get_running_loop()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connect(self, transport: asyncio.Transport) -> None:
        """Write to ``transport`` from now on."""
        self._transport = transport

    def put(self, pdu: Pdu) -> None:
        """Queue ``pdu``.

        Raises:
            CodecError: it does not fit SMPP; nothing of it is queued.
        """
        self._out.append(encode(pdu))
        if len(self._out) == 1:
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what is queued now."""
        data, self._out = b"".join(self._out), []
        if self._transport is None or not data or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > _MAX_UNSENT:
            self._stuck()
