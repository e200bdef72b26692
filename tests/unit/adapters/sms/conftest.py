"""A session over a transport in memory, for the tests of both of its sides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog

from adapters.sms.codec import Framer, decode, encode
from adapters.sms.pdu import Bind, BindResp, Body, Command, Pdu
from adapters.sms.session import Session


class Wire(asyncio.Transport):
    """A transport that keeps what is written; what the far end says is given to the session directly."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.framer = Framer()
        self.written: list[Pdu] = []
        self.unread = 0
        self.gone = False
        session.connection_made(self)

    def write(self, data: Any) -> None:
        self.written += [decode(frame) for frame in self.framer.feed(bytes(data))]

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.gone

    def close(self) -> None:
        if not self.gone:
            self.gone = True
            asyncio.get_running_loop().call_soon(self.session.connection_lost, None)

    abort = close

    def say(self, command: int, sequence: int, body: Body = None, status: int = 0) -> None:
        """Let the far end say one PDU."""
        self.session.data_received(encode(Pdu(command, sequence, body, status)))


def _connect(
    *, window: int = 5, timeout: float = 5.0, enquire: float = 60.0, deliver: Callable[..., None] | None = None
) -> tuple[Session, Wire]:
    """Return a session that is connected, not bound."""
    session = Session(
        window=window,
        response_timeout=timeout,
        enquire_link=enquire,
        deliver=deliver or (lambda _message, ack: ack(0)),
        log=structlog.wrap_logger(None, processors=[structlog.testing.LogCapture()]),
    )
    return session, Wire(session)


async def _bound(**options: Any) -> tuple[Session, Wire]:
    """Return a session that is bound."""
    session, wire = _connect(**options)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(session.bind(Bind(system_id="chapar", password="secret")))
        await asyncio.sleep(0)
        wire.say(Command.BIND_TRANSCEIVER_RESP, 1, BindResp(system_id="smsc"))
    wire.written.clear()
    return session, wire


@pytest.fixture
def connect() -> Callable[..., tuple[Session, Wire]]:
    """A function that returns a session that is connected, not bound, with its wire."""
    return _connect


@pytest.fixture
def bound() -> Callable[..., Awaitable[tuple[Session, Wire]]]:
    """A coroutine function that returns a session that is bound, with its wire."""
    return _bound
