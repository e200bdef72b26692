"""The bare client that E6 is compared with: an aiosmtplib loop that sends prepared mails over as many connections.

``python -m bench.bare_smtp PORT COUNT CONNECTIONS`` reads one mail of the relay from standard input.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator, Sequence

import aiosmtplib
import uvloop

_SENDER = "warnings@meteo.example"
_OWN = re.compile(rb"(?mi)^(To|Message-ID): [^\r]*\r\n")


def distinct(mail: bytes, count: int) -> list[tuple[str, bytes]]:
    """Return ``count`` mails, each to somebody else and with an id of its own."""
    rest = _OWN.sub(b"", mail)
    made = []
    for number in range(count):
        address = f"bare{number}@bench.example"
        head = f"To: {address}\r\nMessage-ID: <bare-{number}@bench.example>\r\n".encode()
        made.append((address, head + rest))
    return made


async def send_all(port: int, mails: Sequence[tuple[str, bytes]], *, connections: int) -> None:
    """Send all mails."""
    turns = iter(mails)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(connections):
            tasks.create_task(_send(port, turns))


async def _send(port: int, turns: Iterator[tuple[str, bytes]]) -> None:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
    async with client:
        for address, mail in turns:
            await client.sendmail(_SENDER, [address], mail)


if __name__ == "__main__":
    prepared = distinct(sys.stdin.buffer.read(), int(sys.argv[2]))
    uvloop.run(send_all(int(sys.argv[1]), prepared, connections=int(sys.argv[3])))
