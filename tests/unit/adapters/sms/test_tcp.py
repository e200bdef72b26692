"""TCP options, where the platform has them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from adapters.sms.tcp import acknowledger, no_delay


class Transport(asyncio.Transport):
    """A transport with a real socket that is not connected."""

    def __init__(self, sock: socket.socket | None, *, closing: bool = False) -> None:
        super().__init__(extra={"socket": sock})
        self._closing = closing

    def is_closing(self) -> bool:
        return self._closing


def test_no_delay() -> None:
    """Small PDUs do not wait for each other."""
    with socket.socket() as sock:
        no_delay(Transport(sock))

        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="TCP_QUICKACK is Linux")
def test_acknowledge_now() -> None:
    """Acknowledgements are not delayed."""
    with socket.socket() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        before = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)
        acknowledger(Transport(sock))()

        assert (before, sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK)) == (0, 1)


def test_gone_sockets_are_left_alone() -> None:
    """A transport that closes, or has no socket, is no error."""
    with socket.socket() as sock:
        sock.close()
        acknowledger(Transport(sock, closing=True))()
    acknowledger(Transport(None))()
    no_delay(Transport(None))
