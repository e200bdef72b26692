"""The bare loops that E6 is compared with: our own SMPP client without a relay around it.

``python -m bench.bare_smpp PORT COUNT WINDOW HOW`` reads one submit_sm of the relay, in hexadecimal, from standard
input.  HOW is ``adapter``: prepared deliveries through the adapter's ``send``, as a worker calls it, batch by batch; or
``session``: prepared messages through the protocol alone.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
import uvloop

from adapters.sms.codec import decode
from adapters.sms.pdu import Bind, ShortMessage
from adapters.sms.session import Session
from adapters.sms.settings import Settings
from adapters.sms.smpp import Smpp
from relay.adapter import Class, Content, Hole, Item, Services, Template, Verdict
from relay.directory.egress import Guard

_TIMEOUT = 30.0
_BATCHES = 4  # sent at once, so that the window is never empty


def read(frame: bytes) -> ShortMessage:
    """Return the message in a submit_sm.

    Raises:
        TypeError: ``frame`` is no submit_sm.
    """
    sample = decode(frame).body
    if not isinstance(sample, ShortMessage):
        raise TypeError("that is no submit_sm")
    return sample


def messages(sample: ShortMessage, count: int) -> list[ShortMessage]:
    """Return ``count`` messages, each to somebody else."""
    return [replace(sample, destination=f"7709{number:07d}") for number in range(count)]


def items(sample: ShortMessage, count: int) -> list[Item]:
    """Return ``count`` deliveries of one content, each to somebody else, with a link as long as the sample's."""
    text = sample.payload.decode("ascii", "replace")
    before, http, link = text.partition("http")
    parts = (before, Hole.ACK_URL) if http else (text,)
    content = Content(language="en", rtl=False, subject="", text=Template(parts))
    expires = datetime.now(UTC) + timedelta(hours=6)
    return [
        Item(
            delivery_id=f"leg0bare-{number}",
            address=f"+7709{number:07d}",
            content=content,
            values={Hole.ACK_URL: f"{http}{link[:-7]}{number:07d}"},
            klass=Class.P3,
            expires=expires,
        )
        for number in range(count)
    ]


async def submit_all(port: int, prepared: Sequence[ShortMessage], *, window: int) -> int:
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
    coming = [await session.submit(message, pause=0.0) for message in prepared]
    answers = [await answer for answer in coming]
    await session.unbind()
    return sum(answer.accepted for answer in answers)


async def send_all(port: int, prepared: Sequence[Item], *, window: int) -> int:
    """Send all deliveries through the adapter over one bind; return how many were accepted."""
    settings = Settings.model_validate(
        {"host": "127.0.0.1", "port": port, "system_id": "chapar", "password": "secret", "window": window}
    )
    services = Services(channel="sms", log=structlog.get_logger(), egress=Guard(allow=(), own=()))
    adapter = Smpp(settings, services)
    await adapter.open()
    size = adapter.descriptor.max_batch
    batches = iter([prepared[first : first + size] for first in range(0, len(prepared), size)])
    async with asyncio.TaskGroup() as tasks:
        lanes = [tasks.create_task(_send(adapter, batches)) for _ in range(_BATCHES)]
    await adapter.close(deadline=_TIMEOUT)
    return sum(lane.result() for lane in lanes)


async def _send(adapter: Smpp, batches: Iterator[Sequence[Item]]) -> int:
    accepted = 0
    for batch in batches:
        accepted += sum(outcome.verdict is Verdict.ACCEPTED for outcome in await adapter.send(batch))
    return accepted


async def main(port: int, count: int, window: int, how: str) -> bool:
    """Do what was asked for; return whether everything was accepted."""
    sample = read(bytes.fromhex(sys.stdin.read()))
    if how == "session":
        return await submit_all(port, messages(sample, count), window=window) == count
    return await send_all(port, items(sample, count), window=window) == count


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    whole = uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
    sys.exit(not whole)
