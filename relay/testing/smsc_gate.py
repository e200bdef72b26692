"""The door in front of a test SMS centre: who may bind, and all that can go wrong with a connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress

_HEADER = struct.Struct(">IIII")
_BIND_TRANSCEIVER = 9
_RESPONSE = 0x8000_0000
_RINVPASWD = 0x0E
_RINVSYSID = 0x0F


class Gate:
    """Listens on loopback, checks the bind and then passes bytes both ways between client and server.

    ``refuse`` is a command_status for every bind, 0 for none.  ``binds`` counts the binds let through.
    """

    def __init__(self, *, accounts: Mapping[str, str], behind: tuple[str, int]) -> None:
        self._accounts = accounts
        self._behind = behind
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self.port = 0
        self.refuse = 0
        self.binds = 0

    async def open(self) -> None:
        """Listen; after :meth:`close` on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, reset every connection and wait until all are gone."""
        if self._server is not None:
            self._server.close()
            self.drop()
            await self._empty.wait()
            await self._server.wait_closed()
            self._server = None

    def drop(self) -> None:
        """Reset every connection without a word."""
        for client in self._clients:
            # Closing with a linger of zero is what makes it a reset instead of an orderly end.
            with suppress(OSError):  # it may be gone already
                client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.transport.abort()

    def inject(self, octets: bytes) -> None:
        """Write ``octets`` to every client between two chunks of the server's."""
        for client in self._clients:
            client.write(octets)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        self._empty.clear()
        try:
            bind = await self._admitted(reader, writer)
            if bind:
                await self._pass_on(bind, reader, writer)
        except (OSError, EOFError, struct.error):
            pass  # the client went away, which is its right
        finally:
            await _end(writer)
            self._clients.discard(writer)
            if not self._clients:
                self._empty.set()

    async def _admitted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Read the bind and return it when the client may pass, else answer it and return nothing."""
        head = await reader.readexactly(_HEADER.size)
        length, command, _status, sequence = _HEADER.unpack(head)
        body = await reader.readexactly(length - _HEADER.size)
        status = self.refuse
        if not status and command == _BIND_TRANSCEIVER:
            name, password = (field.decode("latin-1") for field in body.split(b"\0")[:2])
            known = self._accounts.get(name)
            status = _RINVSYSID if known is None else _RINVPASWD if known != password else 0
        if not status:
            self.binds += 1
            return head + body
        writer.write(_HEADER.pack(_HEADER.size, command | _RESPONSE, status, sequence))
        await writer.drain()
        return b""

    async def _pass_on(self, bind: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_connection(*self._behind)
        downstream.write(bind)
        async with asyncio.TaskGroup() as tasks:
            pumps = {
                tasks.create_task(_pump(reader, downstream), name="gate to server"),
                tasks.create_task(_pump(upstream, writer), name="gate to client"),
            }
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        await _end(downstream)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until either side ends."""
    with suppress(OSError):
        while octets := await source.read(65536):
            sink.write(octets)
            await sink.drain()


async def _end(writer: asyncio.StreamWriter) -> None:
    """Close ``writer`` and wait until its socket is gone."""
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
