"""The SMS sink: a process of its own that takes every message over SMPP as fast as Python can.

``python -m bench.smpp_sink`` prints its port.  It can be asked to ``reset`` its counts, to ``report`` them, for a
``sample`` (the last submit_sm in hexadecimal), to answer ``later <ms>`` from now on, and to send ``receipts <window>``
for all that it took since the reset.
"""

from __future__ import annotations

import asyncio
import struct
import time
from typing import cast

import uvloop

from bench import control
from bench.counting import Count

_HEADER = struct.Struct(">IIII")
_RESPONSE = 0x8000_0000
_BINDS, _SUBMIT, _DELIVER, _UNBIND, _ENQUIRE = (1, 2, 9), 4, 5, 6, 0x15
_NOT_KNOWN = 0x03
_RECEIPT = b"\0\x01\x01%b\0\0\0bench\0\x04\0\0\0\0\0\0\0\0%c%b"
_WORDS = b"id:%b sub:001 dlvrd:001 submit date:2603010600 done date:2603010601 stat:DELIVRD err:000 text:"


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """Return one PDU."""
    return _HEADER.pack(_HEADER.size + len(body), command, status, sequence) + body


def receipt(sequence: int, message_id: bytes) -> bytes:
    """Return a deliver_sm that says that a message was delivered."""
    text = _WORDS % message_id
    return pdu(_DELIVER, sequence, _RECEIPT % (b"77010000000", len(text), text))


class Centre:
    """What came, and who is bound."""

    def __init__(self) -> None:
        self.count = Count()
        self.ids: list[bytes] = []
        self.sample = b""
        self.later = 0.0  # seconds
        self.session: Session | None = None
        self._given = 0

    def reset(self) -> None:
        """Forget what came."""
        self.count.reset()
        self.ids.clear()

    def take(self, frame: bytes) -> bytes:
        """Keep a message and return its id."""
        self.count.add()
        self._given += 1
        message_id = b"%08x" % self._given
        self.ids.append(message_id)
        self.sample = frame
        return message_id

    async def receipts(self, window: int) -> dict[str, float]:
        """Send a receipt for each message, ``window`` of them without an answer at most; return how long it took."""
        if self.session is None:
            return {"count": 0, "seconds": 0.0, "refused": 0}
        began = time.perf_counter()
        refused = await self.session.deliver(self.ids, window)
        return {"count": len(self.ids), "seconds": time.perf_counter() - began, "refused": refused}


class Session:
    """One SMPP conversation; ``transport`` is where receipts go."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._buffer = bytearray()
        self._room: asyncio.Semaphore | None = None
        self._refused = 0
        self.transport: asyncio.Transport | None = None

    def feed(self, data: bytes) -> bytes:
        """Take what came and return the answers to all that is whole."""
        self._buffer += data
        buffer, at, said = self._buffer, 0, []
        while len(buffer) - at >= _HEADER.size:
            length, command, status, sequence = _HEADER.unpack_from(buffer, at)
            if len(buffer) - at < length:
                break
            said.append(self._answer(command, status, sequence, bytes(buffer[at : at + length])))
            at += length
        del buffer[:at]
        return b"".join(said)

    def _answer(self, command: int, status: int, sequence: int, frame: bytes) -> bytes:
        if command == _SUBMIT:
            return pdu(_SUBMIT | _RESPONSE, sequence, self._centre.take(frame) + b"\0")
        if command == _DELIVER | _RESPONSE:
            self._answered(status)
            return b""
        if command in _BINDS:
            self._centre.session = self
            return pdu(command | _RESPONSE, sequence, b"bench\0")
        if command in (_UNBIND, _ENQUIRE):
            return pdu(command | _RESPONSE, sequence)
        return b"" if command & _RESPONSE else pdu(_RESPONSE, sequence, status=_NOT_KNOWN)

    def _answered(self, status: int) -> None:
        self._refused += status != 0
        if self._room is not None:
            self._room.release()

    async def deliver(self, ids: list[bytes], window: int) -> int:
        """Send receipts, wait until all are answered; return how many were refused."""
        self._room, self._refused = asyncio.Semaphore(window), 0
        for sequence, message_id in enumerate(ids, start=1):
            await self._room.acquire()
            if self.transport is not None:
                self.transport.write(receipt(sequence, message_id))
        for _ in range(window):
            await self._room.acquire()
        return self._refused


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._session = Session(centre)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = self._session.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer, now or as much later as was asked for."""
        if not (said := self._session.feed(data)) or self._transport is None:
            return
        if self._centre.later:
            asyncio.get_running_loop().call_later(self._centre.later, self._transport.write, said)
        else:
            self._transport.write(said)


async def serve() -> None:
    """Listen until standard input ends."""
    centre = Centre()

    async def reset(_: str) -> object:
        centre.reset()
        return None

    async def report(_: str) -> object:
        return centre.count.to_json()

    async def sample(_: str) -> object:
        return centre.sample.hex()

    async def later(millis: str) -> object:
        centre.later = float(millis) / 1000
        return None

    async def receipts(window: str) -> object:
        return await centre.receipts(int(window))

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(centre), "127.0.0.1", 0)
    async with server:
        answers = {"reset": reset, "report": report, "sample": sample, "later": later, "receipts": receipts}
        await control.serve(server.sockets[0].getsockname()[1], answers)


if __name__ == "__main__":
    uvloop.run(serve())
