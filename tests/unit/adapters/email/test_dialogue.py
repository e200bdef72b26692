"""Replies belong to commands in their order, whatever pieces they come in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.email.dialogue import Dialogue, Lost, Reply


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Be taken over."""

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True


REPLIES = [Reply(250, "2.1.0 OK"), Reply(550, "5.1.1 one\n5.1.1 two"), Reply(354, ""), Reply(250, "a\n\nb")]
BYTES = b"250 2.1.0 OK\r\n550-5.1.1 one\r\n550 5.1.1 two\r\n354\r\n250-a\r\n250-\r\n250 b\n"


@given(st.lists(st.integers(0, len(BYTES)), max_size=12))
def test_replies_are_read_in_any_pieces(cuts: list[int]) -> None:
    """Cut anywhere, the replies are the same."""

    async def run() -> list[Reply]:
        dialogue = Dialogue(Wire())
        dialogue.write(b"", replies=len(REPLIES))
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(BYTES)], strict=True):
            dialogue.data_received(BYTES[start:end])
        return [await dialogue.reply() for _ in REPLIES]

    assert asyncio.run(run()) == REPLIES


@pytest.mark.parametrize("garbage", [b"what?\r\n", b"25x OK\r\n", b"250:OK\r\n", b"\r\n", b"2\r\n", b"x" * 70_000])
async def test_garbage_ends_the_connection(garbage: bytes) -> None:
    """What is no SMTP says nothing, and endless replies are not kept."""
    wire = Wire()
    dialogue = Dialogue(wire)
    dialogue.write(b"NOOP\r\n", replies=1)
    dialogue.data_received(garbage)

    with pytest.raises(Lost):
        await dialogue.reply()
    assert wire.closed


async def test_an_endless_reply_is_cut_off() -> None:
    """A reply of many lines is bounded too."""
    dialogue = Dialogue(Wire())
    dialogue.write(b"NOOP\r\n", replies=1)
    for _ in range(100):
        dialogue.data_received(b"250-" + b"x" * 1000 + b"\r\n")

    with pytest.raises(Lost):
        await dialogue.reply()


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    """A reply to nothing must not be taken for the reply to the next command."""
    dialogue = Dialogue(Wire())
    dialogue.data_received(b"421 4.4.2 idle too long\r\n")

    assert not dialogue.connected
    with pytest.raises(Lost):
        dialogue.write(b"NOOP\r\n", replies=1)


async def test_who_waits_hears_of_the_loss() -> None:
    """A reply that came before the loss still counts; the next one does not come."""
    dialogue = Dialogue(Wire())
    dialogue.write(b"", replies=2)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(dialogue.reply())
        await asyncio.sleep(0)
        dialogue.data_received(b"250 OK\r\n")
        dialogue.connection_lost(None)

    assert first.result() == Reply(250, "OK")
    with pytest.raises(Lost):
        await dialogue.reply()
