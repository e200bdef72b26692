"""The two TCP options that small PDUs need, so that neither side waits for the other's timer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

_QUICKACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)  # Linux only


def no_delay(transport: asyncio.Transport) -> None:
    """Send each PDU at once (TCP_NODELAY), once per connection."""
    _set(transport, socket.TCP_NODELAY)


def acknowledger(transport: asyncio.Transport) -> Callable[[], None]:
    """Return what acknowledges at once what was read; that holds for one time, so it is called after each read.

    Many centres leave Nagle's algorithm on: they hold their last answers back until what they sent before is
    acknowledged, and the kernel delays that by 40 ms when we have nothing to send (ten times slower, measured).
    """
    sock = transport.get_extra_info("socket")  # made anew at every call in uvloop: asked for once
    if sock is None or _QUICKACK is None:
        return lambda: None
    name = _QUICKACK

    def acknowledge() -> None:
        if not transport.is_closing():
            sock.setsockopt(socket.IPPROTO_TCP, name, 1)

    return acknowledge


def _set(transport: asyncio.Transport, name: int) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, name, 1)
