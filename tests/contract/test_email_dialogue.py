"""The smtp adapter beside servers that a foreign one on loopback does not play: byte by byte, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from relay.adapter import Verdict
from tests.contract.smtp_side import mail, smtp

EHLO = "250-rough.example\r\n250-PIPELINING\r\n250 SIZE 1000000"


@asynccontextmanager
async def rough(**replies: str | Sequence[str]) -> AsyncIterator[Any]:
    """Run a server that says ``replies`` to the commands of that name (``message`` to a message; in turn, if many).

    An empty reply closes the connection; ``read`` is all that it read.
    """
    server = SimpleNamespace(port=0, read=[], connections=0, replies={k: _turns(v) for k, v in replies.items()})

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writer.write(b"220 rough.example\r\n")
        in_message = False
        while line := (await reader.readline()).decode("latin-1").rstrip("\r\n") or (not reader.at_eof() and " "):
            server.read.append(line)
            if in_message and line != ".":
                continue
            name = "message" if in_message else line.split()[0].lower()
            reply = next(server.replies.get(name, _turns({"ehlo": EHLO, "data": "354 go on"}.get(name, "250 OK"))))
            in_message = reply.startswith("354")
            if not reply:
                break
            writer.write(reply.encode() + b"\r\n")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def _turns(replies: str | Sequence[str]) -> Any:
    many = [replies] if isinstance(replies, str) else replies
    yield from many[:-1]
    while True:
        yield many[-1]


async def outcomes(server: Any, count: int = 1) -> list[tuple[Verdict, str]]:
    """Send ``count`` mails over one connection at a time."""
    async with smtp(server, connections=1) as adapter:
        return [(o.verdict, o.reason) for o in await adapter.send([mail(n) for n in range(count)])]


async def test_a_refused_recipient_costs_the_others_nothing() -> None:
    """What the server says to the commands behind the refused one is not taken for answers to the next message."""
    async with rough(rcpt=["550 5.1.1 no", "250 OK"], data=["503 no recipients", "354 go on"]) as server:
        assert await outcomes(server, 3) == [(Verdict.REJECTED, "smtp_550"), *[(Verdict.ACCEPTED, "")] * 2]
    assert server.connections == 1


async def test_a_message_to_nobody_is_never_sent() -> None:
    """A server that waits for a message although it refused its recipient gets none: the connection is given up."""
    async with rough(rcpt=["550 5.1.1 no", "250 OK"]) as server:
        assert await outcomes(server, 2) == [(Verdict.REJECTED, "smtp_550"), (Verdict.ACCEPTED, "")]
    assert server.connections == 2
    assert server.read.count(".") == 1


async def test_a_refused_sender_is_told_once() -> None:
    """The refusal that counts is the first; the others only follow from it."""
    async with rough(mail="451 4.3.0 come later", rcpt="503 no", data="503 no") as server:
        assert await outcomes(server) == [(Verdict.RETRY, "smtp_451")]


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        ({"data": ""}, (Verdict.RETRY, "connection_lost")),
        ({"rcpt": "what?"}, (Verdict.RETRY, "connection_lost")),
        ({"rcpt": "250-" + "x" * 70_000}, (Verdict.RETRY, "connection_lost")),
        ({"message": ""}, (Verdict.UNKNOWN, "connection_lost")),
        ({"message": "what?"}, (Verdict.UNKNOWN, "connection_lost")),
        ({"message": "250-one\r\n250-two\r\n250 2.0.0 queued as AB12"}, (Verdict.ACCEPTED, "")),
        ({"message": "250"}, (Verdict.ACCEPTED, "")),
        ({"rcpt": "421 4.3.2 bye"}, (Verdict.RETRY, "smtp_421")),
    ],
)
async def test_only_a_message_can_be_in_doubt(replies: dict[str, str], outcome: tuple[Verdict, str]) -> None:
    """Commands that left together are still only commands: until the message itself leaves, nothing is in doubt."""
    async with rough(**replies) as server:
        assert await outcomes(server) == [outcome]


async def test_a_server_that_speaks_unasked_is_left() -> None:
    """A word between two messages (421 before closing) is not the answer to the next command."""
    async with rough(message="250 OK\r\n421 4.4.2 idle too long") as server:
        assert await outcomes(server, 2) == [(Verdict.ACCEPTED, "")] * 2
    assert server.connections == 2
