"""The door of the test SMS centre: who may bind, and what it does to connections."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator

import pytest

from relay.testing.smsc_gate import Gate


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    """A gate in front of a server that echoes."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while octets := await reader.read(1000):
            writer.write(octets)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        door = Gate(accounts={"chapar": "secret"}, behind=server.sockets[0].getsockname())
        await door.open()
        yield door
        await door.close()


def bind(name: str, password: str) -> bytes:
    """A bind_transceiver."""
    body = f"{name}\0{password}\0\0".encode() + b"\x34\0\0\0"
    return struct.pack(">IIII", 16 + len(body), 9, 0, 1) + body


async def knock(gate: Gate, octets: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect and write ``octets``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    writer.write(octets)
    return reader, writer


async def test_passes_bytes_after_the_bind(gate: Gate) -> None:
    """An admitted client and the server hear each other unchanged, from the bind on."""
    reader, writer = await knock(gate, bind("chapar", "secret") + b"more")
    expected = bind("chapar", "secret") + b"more"
    heard = await reader.readexactly(len(expected))
    writer.close()

    assert heard == expected
    assert gate.binds == 1


@pytest.mark.parametrize(
    ("name", "password", "refuse", "status"),
    [("chapar", "wrong", 0, 0x0E), ("nobody", "secret", 0, 0x0F), ("chapar", "secret", 0x0D, 0x0D)],
)
async def test_refuses_binds(gate: Gate, name: str, password: str, refuse: int, status: int) -> None:
    """A wrong password, an unknown account and the centre's mood are answered with their codes."""
    gate.refuse = refuse
    reader, writer = await knock(gate, bind(name, password))
    answer = await reader.read()
    writer.close()

    assert struct.unpack(">IIII", answer) == (16, 0x8000_0009, status, 1)
    assert gate.binds == 0


async def test_drops_injects_and_closes(gate: Gate) -> None:
    """Bytes can be put between the server's, connections reset, and the port closed and opened again."""
    reader, writer = await knock(gate, bind("chapar", "secret"))
    await reader.readexactly(len(bind("chapar", "secret")))
    gate.inject(b"garbage")
    injected = await reader.readexactly(7)
    port = gate.port
    await gate.close()
    with pytest.raises(ConnectionResetError):
        await reader.read(100)
    with pytest.raises(ConnectionRefusedError):
        await knock(gate, b"")
    await gate.open()
    writer.close()

    assert injected == b"garbage"
    assert gate.port == port
