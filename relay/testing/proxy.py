"""A TCP proxy that spoils connections on purpose: between the relay and Redis, or the relay and a provider.

Faults are values that hold from :meth:`FaultProxy.put` to :meth:`FaultProxy.heal`, for open connections as well.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self, TypeVar

from relay.testing.tcp_faults import (
    Bandwidth,
    Blackhole,
    Down,
    Fault,
    Garbage,
    HalfOpen,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    Way,
)

_CHUNK = 64 * 1024
_RESET = struct.pack("ii", 1, 0)


F = TypeVar("F", bound=Fault)


@dataclass(eq=False, slots=True)
class _Connection:
    """One client with its way to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    asked: bool = False  # since the server's last word
    passed: int = 0  # bytes from the server since the present faults began
    spoiled: bool = False  # Garbage is said once
    cut: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        """End both sides without a word."""
        self.cut.set()
        for writer in (self.client, self.server):
            with suppress(OSError, AttributeError):  # it may be gone already
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class FaultProxy:
    """Listens on loopback and passes bytes on to ``server``; use it as a context manager, or start and stop it.

    ``server`` is ``(host, port)`` or the path of a Unix socket; ``port`` 0 takes a free one and keeps it.  ``seed``
    makes jitter repeat.  ``connections`` counts all that were accepted, ``dropped`` the replies that were withheld.
    """

    def __init__(self, server: tuple[str, int] | str, *, host: str = "127.0.0.1", port: int = 0, seed: int = 0) -> None:
        self.server, self.host, self.port = server, host, port
        self.connections = 0
        self.dropped = 0
        self.faults: tuple[Fault, ...] = ()
        self._countdown = 0
        self._chance = random.Random(seed)  # noqa: S311 - chance that repeats
        self._open: set[_Connection] = set()
        self._listener: asyncio.Server | None = None
        self._healed = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._serving = 0

    async def start(self) -> Self:
        """Listen."""
        await self._listen()
        return self

    async def stop(self) -> None:
        """Stop listening and reset all connections."""
        self._healed.set()
        await self._deafen()
        self.reset_all()
        await self._empty.wait()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def put(self, *faults: Fault) -> None:
        """Let exactly ``faults`` hold from now on."""
        stale = {type(fault) for fault in self.faults} & {Blackhole, HalfOpen, Garbage}
        self.faults = faults
        for connection in list(self._open):
            connection.passed, connection.spoiled = 0, False
        if stale or self._has(Down) is not None:
            self.reset_all()
        self._healed.set()
        self._healed = asyncio.Event()
        await (self._listen() if self._has(Down) is None else self._deafen())

    async def heal(self) -> None:
        """Let no fault hold; an armed :meth:`drop_reply` is forgotten."""
        self._countdown = 0
        await self.put()

    def drop_reply(self, n: int = 1) -> None:
        """Pass the next requests on and, instead of the ``n``-th reply from now, reset its connection.

        A reply is what the server says after the client said something.  Whoever asked cannot know that it was done.
        """
        self._countdown = n

    def reset_all(self) -> None:
        """Reset every open connection now."""
        for connection in list(self._open):
            connection.reset()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _has(self, kind: type[F]) -> F | None:
        return next((fault for fault in self.faults if isinstance(fault, kind)), None)

    async def _listen(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, self.host, self.port, limit=_CHUNK)
            self.port = int(self._listener.sockets[0].getsockname()[1])

    async def _deafen(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving += 1
        self._empty.clear()
        try:
            upstream, server = await self._dial()
            try:
                await self._pass(_Connection(writer, server), reader, upstream)
            finally:
                await _end(server)
        except OSError:
            writer.transport.abort()  # nobody serves behind this proxy
        finally:
            await _end(writer)
            self._serving -= 1
            if not self._serving:
                self._empty.set()

    async def _pass(
        self, connection: _Connection, reader: asyncio.StreamReader, upstream: asyncio.StreamReader
    ) -> None:
        """Pass bytes both ways until one side ends, or the connection is cut."""
        self._open.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                running = {
                    tasks.create_task(self._pump(connection, reader, Way.UP), name="proxy up"),
                    tasks.create_task(self._pump(connection, upstream, Way.DOWN), name="proxy down"),
                    tasks.create_task(connection.cut.wait(), name="proxy cut"),
                }
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in running:
                    task.cancel()
        finally:
            self._open.discard(connection)

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.server, str):
            return await asyncio.open_unix_connection(self.server, limit=_CHUNK)
        return await asyncio.open_connection(*self.server, limit=_CHUNK)

    async def _pump(self, connection: _Connection, source: asyncio.StreamReader, way: Way) -> None:
        """Pass bytes one way until either side ends."""
        sink = connection.server if way is Way.UP else connection.client
        with suppress(OSError):
            while octets := await source.read(_CHUNK):
                while self._has(HalfOpen) is not None:
                    await self._healed.wait()
                passed = self._spoil(connection, octets, way)
                if passed is None:
                    connection.reset()
                    return
                if self._has(Blackhole) is None and not connection.cut.is_set():
                    await self._deliver(connection, sink, passed, way)

    def _spoil(self, connection: _Connection, octets: bytes, way: Way) -> bytes | None:
        """Return what is left of ``octets``; None resets the connection."""
        if way is Way.UP:
            connection.asked = True
            return None if self._has(ResetPeer) is not None else octets
        if connection.asked and self._countdown:
            self._countdown -= 1
            if not self._countdown:
                self.dropped += 1
                return None
        connection.asked = False
        garbage = self._has(Garbage)
        if garbage is not None and not connection.spoiled:
            connection.spoiled = True
            octets = garbage.octets + octets
        return octets

    async def _deliver(self, connection: _Connection, sink: asyncio.StreamWriter, octets: bytes, way: Way) -> None:
        """Write ``octets`` as slowly and in as many pieces as the faults want."""
        latency, limit = self._has(Latency), self._has(LimitData)
        if latency is not None and way in latency.ways:
            await asyncio.sleep(max(0.0, latency.seconds + latency.jitter * (2 * self._chance.random() - 1)))
        if limit is not None and way is Way.DOWN:
            octets = octets[: max(0, limit.bytes - connection.passed)]
            connection.passed += len(octets)
        size = self._size(way) or max(1, len(octets))
        for at in range(0, len(octets), size):
            piece = octets[at : at + size]
            sink.write(piece)
            await sink.drain()
            if pause := self._pause(len(piece), way):
                await asyncio.sleep(pause)
        if limit is not None and way is Way.DOWN and connection.passed >= limit.bytes:
            connection.cut.set()  # an orderly end: what was passed still arrives

    def _size(self, way: Way) -> int:
        """Return how many bytes are written at once; 0: all."""
        slicer, band = self._has(Slicer), self._has(Bandwidth)
        if slicer is not None and way in slicer.ways:
            return slicer.size
        return max(1, band.bytes_per_second // 20) if band is not None and way in band.ways else 0

    def _pause(self, written: int, way: Way) -> float:
        """Return the seconds to wait after so many bytes."""
        slicer, band = self._has(Slicer), self._has(Bandwidth)
        sliced = slicer.pause if slicer is not None and way in slicer.ways else 0.0
        return sliced + (written / band.bytes_per_second if band is not None and way in band.ways else 0.0)


async def _end(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
