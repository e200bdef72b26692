"""PDUs leave together, in order, and not to a peer that reads nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.sms.codec import CodecError, encode
from adapters.sms.outbox import Outbox
from adapters.sms.pdu import Command, Pdu, ShortMessage


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, *, unread: int = 0, closing: bool = False) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self._unread, self._closing = unread, closing

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return self._unread


def connected(wire: Wire) -> tuple[Outbox, list[str]]:
    """Return an outbox on ``wire`` and what it complained of."""
    stuck: list[str] = []
    outbox = Outbox(lambda: stuck.append("stuck"))
    outbox.connect(wire)
    return outbox, stuck


async def test_one_turn_is_one_write() -> None:
    """What is queued together leaves together, in order."""
    wire = Wire()
    outbox, stuck = connected(wire)
    pdus = [Pdu(Command.ENQUIRE_LINK, number) for number in (1, 2, 3)]
    for pdu in pdus:
        outbox.put(pdu)
    await asyncio.sleep(0)

    assert wire.written == [b"".join(map(encode, pdus))]
    assert stuck == []


async def test_what_does_not_fit_is_not_queued() -> None:
    """A message that SMPP cannot carry leaves no half PDU behind."""
    wire = Wire()
    outbox, _ = connected(wire)
    with pytest.raises(CodecError):
        outbox.put(Pdu(Command.SUBMIT_SM, 1, ShortMessage(destination="7" * 30)))
    outbox.flush()

    assert wire.written == []


async def test_a_peer_that_reads_nothing_is_noticed() -> None:
    """Beyond a mebibyte that nobody reads the connection is given up."""
    wire = Wire(unread=(1 << 20) + 1)
    outbox, stuck = connected(wire)
    outbox.put(Pdu(Command.ENQUIRE_LINK, 1))
    outbox.flush()

    assert stuck == ["stuck"]


@pytest.mark.parametrize("wire", [None, Wire(closing=True)])
async def test_without_a_connection_nothing_is_written(wire: Wire | None) -> None:
    """A closed connection is no error here; who asked hears of it elsewhere."""
    outbox = Outbox(lambda: None)
    if wire is not None:
        outbox.connect(wire)
    outbox.put(Pdu(Command.ENQUIRE_LINK, 1))
    outbox.flush()

    assert wire is None or wire.written == []
