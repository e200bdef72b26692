"""Nothing is dialled that the guard has not judged just before."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.webhook.connection import Connection
from adapters.webhook.dial import Dialer
from adapters.webhook.request import Origin
from relay.errors import BlockedTarget


class Watcher:
    """A guard that lets everything pass, unless it is told not to, and remembers what it judged."""

    def __init__(self, *, block_names: bool = False, block_sockets: bool = False) -> None:
        self.names: list[tuple[str, list[str]]] = []
        self.sockets: list[str] = []
        self._block_names, self._block_sockets = block_names, block_sockets

    def check_url(self, url: str) -> None:
        """Pass."""

    def check_addresses(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Remember; block if told so."""
        self.names.append((host, sorted(set(addresses))))
        if self._block_names:
            raise BlockedTarget("no")

    def socket_factory(self, addr_info: tuple[Any, ...]) -> socket.socket:
        """Remember; block if told so."""
        self.sockets.append(str(addr_info[4][0]))
        if self._block_sockets:
            raise BlockedTarget("no")
        return socket.socket(addr_info[0], addr_info[1], addr_info[2])


@pytest.fixture
async def port() -> Any:
    """The port of a server on loopback that says nothing."""
    server = await asyncio.start_server(lambda _r, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def dial(guard: Watcher, host: str, port: int, *, dialer: Dialer | None = None) -> None:
    """Make a connection and close it."""
    dialer = dialer or Dialer(guard, tls=ssl.create_default_context(), patience=5.0)
    connection = await dialer.dial(Origin(False, host, port, host), lambda: Connection(0))
    connection.cut()


async def test_an_address_is_judged_when_it_is_dialled(port: int) -> None:
    """A spelled-out address needs no look-up; its socket is judged all the same."""
    guard = Watcher()
    await dial(guard, "127.0.0.1", port)

    assert (guard.names, guard.sockets) == ([], ["127.0.0.1"])


async def test_a_name_is_judged_twice(port: int) -> None:
    """All addresses of a name are judged when it is looked up, and the one that is dialled again."""
    guard = Watcher()
    await dial(guard, "localhost", port)

    assert [name for name, _ in guard.names] == ["localhost"]
    assert "127.0.0.1" in guard.names[0][1]
    assert "127.0.0.1" in guard.sockets


@pytest.mark.parametrize(
    ("guard", "host", "sockets"),
    [
        (Watcher(block_names=True), "localhost", 0),
        (Watcher(block_sockets=True), "localhost", 1),
        (Watcher(block_sockets=True), "127.0.0.1", 1),
    ],
)
async def test_what_the_guard_blocks_is_not_dialled(port: int, guard: Watcher, host: str, sockets: int) -> None:
    """A name that is blocked does not even get as far as a socket."""
    with pytest.raises(BlockedTarget):
        await dial(guard, host, port)

    assert min(len(guard.sockets), 1) == sockets


async def test_a_name_is_looked_up_once_for_many(port: int) -> None:
    """Posts that start together share a look-up, and those soon after too; each socket is judged."""
    guard = Watcher()
    dialer = Dialer(guard, tls=ssl.create_default_context(), patience=5.0)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(dial(guard, "localhost", port, dialer=dialer))
    await dial(guard, "localhost", port, dialer=dialer)

    assert len(guard.names) == 1
    assert guard.sockets.count("127.0.0.1") == 9


async def test_names_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """A million names do not fill the memory."""
    monkeypatch.setattr("adapters.webhook.dial._MOST_NAMES", 2)
    guard = Watcher()
    dialer = Dialer(guard, tls=ssl.create_default_context(), patience=5.0)
    for host in ("localhost", "LOCALHOST", "Localhost", "localhost"):
        await dial(guard, host, port, dialer=dialer)

    assert len(guard.names) == 4
    assert len(dialer._names) == 2


async def test_making_a_connection_is_bounded() -> None:
    """A host that never answers the first packet is given up in time."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        dialer = Dialer(Watcher(), tls=ssl.create_default_context(), patience=0.2)
        with pytest.raises(TimeoutError):
            await dialer.dial(Origin(False, "127.0.0.1", port, "x"), lambda: Connection(0))
        for filler in fillers:
            filler.close()


async def test_a_plain_server_is_no_tls(port: int) -> None:
    """A server that does not do TLS gets nothing of the request."""
    dialer = Dialer(Watcher(), tls=ssl.create_default_context(), patience=5.0)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        await dialer.dial(Origin(True, "127.0.0.1", port, "x"), lambda: Connection(0))
