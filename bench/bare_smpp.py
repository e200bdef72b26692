"""The bare client that E6 is compared with: our own SMPP client in a loop that submits prepared messages.

``python -m bench.bare_smpp PORT COUNT WINDOW`` reads one submit_sm of the relay, in hexadecimal, from standard input.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace

import structlog
import uvloop

from adapters.sms.codec import decode
from adapters.sms.pdu import Bind, ShortMessage
from adapters.sms.session import Session

_TIMEOUT = 30.0


def distinct(frame: bytes, count: int) -> list[ShortMessage]:
    """Return ``count`` messages, each to somebody else.

    Raises:
        TypeError: ``frame`` is no submit_sm.
    """
    sample = decode(frame).body
    if not isinstance(sample, ShortMessage):
        raise TypeError("that is no submit_sm")
    return [replace(sample, destination=f"7709{number:07d}") for number in range(count)]


async def submit_all(port: int, messages: Sequence[ShortMessage], *, window: int) -> int:
    """Submit all messages over one bind; return how many were accepted."""
    session = Session(
        window=window,
        response_timeout=_TIMEOUT,
        enquire_link=_TIMEOUT,
        deliver=lambda _, respond: respond(0),
        log=structlog.get_logger(),
    )
    await asyncio.get_running_loop().create_connection(lambda: session, "127.0.0.1", port)
    await session.bind(Bind(system_id="chapar", password="secret"))  # noqa: S106 -- the sink's, on loopback
    coming = [await session.submit(message, pause=0.0) for message in messages]
    answers = [await answer for answer in coming]
    await session.unbind()
    return sum(answer.accepted for answer in answers)


if __name__ == "__main__":
    prepared = distinct(bytes.fromhex(sys.stdin.read()), int(sys.argv[2]))
    accepted = uvloop.run(submit_all(int(sys.argv[1]), prepared, window=int(sys.argv[3])))
    sys.exit(accepted != len(prepared))
