"""The fault proxy between real sockets: each fault does what its name says, and heals."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic

import pytest

from relay.testing.proxy import FaultProxy
from relay.testing.tcp_faults import (
    Bandwidth,
    Blackhole,
    Down,
    Garbage,
    HalfOpen,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    Way,
)

SOON = 0.15


@dataclass
class Echo:
    """A server that repeats every line and remembers it."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    made = Echo()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(("127.0.0.1", echo.port)) as made:
        yield made


class Talk:
    """One client's connection; close it with :meth:`end`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, proxy: FaultProxy) -> Talk:
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def end(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def say(self, line: bytes, *, within: float = 5.0) -> bytes:
        self.writer.write(line)
        async with asyncio.timeout(within):
            return await self.reader.readline()


@pytest.fixture
async def talk(proxy: FaultProxy) -> AsyncIterator[Talk]:
    made = await Talk.to(proxy)
    assert await made.say(b"first\n") == b"first\n"
    yield made
    await made.end()


async def test_passes_everything(talk: Talk) -> None:
    """Without a fault it is not there."""
    long = b"x" * 60_000 + b"\n"

    assert await talk.say(long) == long


async def test_latency_goes_both_ways_and_heals(proxy: FaultProxy, talk: Talk) -> None:
    """Each way waits; open connections feel it, and the end of it."""
    await proxy.put(Latency(seconds=0.1))
    began = monotonic()
    await talk.say(b"slow\n")
    slow = monotonic() - began
    await proxy.put(Latency(seconds=5.0, ways=()))
    await talk.say(b"no way\n", within=1)
    await proxy.heal()
    await talk.say(b"fast\n", within=1)

    assert slow >= 0.2


async def test_bandwidth(proxy: FaultProxy, talk: Talk) -> None:
    """Ten thousand bytes at 40,000 a second take a quarter of a second."""
    await proxy.put(Bandwidth(bytes_per_second=40_000, ways=(Way.DOWN,)))
    began = monotonic()
    line = await talk.say(b"x" * 9_999 + b"\n")
    took = monotonic() - began

    assert len(line) == 10_000
    assert took >= 0.2


async def test_slicer(proxy: FaultProxy, talk: Talk) -> None:
    """Bytes come one at a time, and all of them."""
    await proxy.put(Slicer(size=1, pause=0.005, ways=(Way.DOWN,)))
    talk.writer.write(b"sliced\n")
    pieces = [await talk.reader.read(100) for _ in range(3)]

    assert max(map(len, pieces)) < 7
    assert b"sliced\n".startswith(b"".join(pieces)[:1])


async def test_down_resets_and_refuses(proxy: FaultProxy, talk: Talk) -> None:
    """Open connections are reset, new ones refused, and afterwards the same port serves again."""
    await proxy.put(Down())
    with pytest.raises(ConnectionResetError):
        await talk.say(b"lost\n")
    with pytest.raises(ConnectionRefusedError):
        await Talk.to(proxy)
    await proxy.heal()
    again = await Talk.to(proxy)

    assert await again.say(b"back\n") == b"back\n"
    await again.end()


async def test_blackhole_swallows_and_is_reset_when_it_heals(proxy: FaultProxy, talk: Talk, echo: Echo) -> None:
    """New connections are accepted, nothing arrives; what was swallowed never does."""
    await proxy.put(Blackhole())
    other = await Talk.to(proxy)
    for one in (talk, other):
        with pytest.raises(TimeoutError):
            await one.say(b"swallowed\n", within=SOON)
    await proxy.heal()
    with pytest.raises(ConnectionResetError):
        await talk.reader.read()
    await other.end()

    assert echo.heard == [b"first\n"]


async def test_half_open_keeps_the_socket(proxy: FaultProxy, talk: Talk, echo: Echo) -> None:
    """Nothing is read, nothing is said, nothing ends, until it heals with a reset."""
    await proxy.put(HalfOpen())
    with pytest.raises(TimeoutError):
        await talk.say(b"kept\n", within=SOON)
    await proxy.heal()
    with pytest.raises(ConnectionResetError):
        await talk.reader.read()

    assert echo.heard == [b"first\n"]


async def test_reset_peer(proxy: FaultProxy, talk: Talk, echo: Echo) -> None:
    """The first bytes are answered by a reset and never arrive."""
    await proxy.put(ResetPeer())
    with pytest.raises(ConnectionResetError):
        await talk.say(b"reset\n")

    assert echo.heard == [b"first\n"]


async def test_limit_data(proxy: FaultProxy, talk: Talk) -> None:
    """The connection ends after so many bytes of the server's."""
    await proxy.put(LimitData(bytes=8))
    first = await talk.say(b"12345\n")
    talk.writer.write(b"67890\n")

    assert first == b"12345\n"
    assert await talk.reader.read() == b"67"


async def test_garbage_comes_once(proxy: FaultProxy, talk: Talk) -> None:
    """The next answer begins with what the server never said; the one after it does not."""
    await proxy.put(Garbage(octets=b"\xff\x00"))
    spoiled, clean = await talk.say(b"one\n"), await talk.say(b"two\n")

    assert (spoiled, clean) == (b"\xff\x00one\n", b"two\n")


async def test_drop_reply_does_it_and_does_not_say_so(proxy: FaultProxy, talk: Talk, echo: Echo) -> None:
    """The second reply is withheld: the server has done what was asked, the client sees a reset."""
    proxy.drop_reply(2)
    first = await talk.say(b"one\n")
    with pytest.raises(ConnectionResetError):
        await talk.say(b"two\n")
    other = await Talk.to(proxy)
    third = await other.say(b"three\n")
    await other.end()

    assert (first, third) == (b"one\n", b"three\n")
    assert echo.heard == [b"first\n", b"one\n", b"two\n", b"three\n"]
    assert proxy.dropped == 1


async def test_nobody_behind_it() -> None:
    """A server that does not listen ends the client's connection, as it would without a proxy."""
    async with FaultProxy(("127.0.0.1", 1)) as proxy:
        talk = await Talk.to(proxy)
        said = await talk.reader.read()
        await talk.end()

    assert said == b""
