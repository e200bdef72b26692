"""The mail sink takes whole mails, pipelined or not, from a client that is not ours."""

from __future__ import annotations

import asyncio

from bench.bare_smtp import distinct, send_all
from bench.smtp_sink import Box, Connection, Session

MAIL = b"To: a@bench.example\r\nMessage-ID: <1@x>\r\nSubject: hi\r\n\r\nline\r\n.dot\r\n"
TALK = b"EHLO me\r\nMAIL FROM:<s@x>\r\nRCPT TO:<a@bench.example>\r\nDATA\r\n"


def test_a_conversation_is_answered_line_by_line() -> None:
    """However it is cut into pieces: one answer for each command, one for the mail, good-bye at the end."""
    box = Box()
    session = Session(box)
    said = b"".join(session.feed(bytes([byte])) for byte in TALK + MAIL + b".\r\n" + b"QUIT\r\n")
    codes = [line[:3] for line in said.split(b"\r\n")[:-1] if line[3:4] == b" "]

    assert codes == [b"250", b"250", b"250", b"354", b"250", b"221"]
    assert (box.count.count, box.mail, session.over) == (1, MAIL, True)
    assert box.envelope == [b"MAIL FROM:<s@x>", b"RCPT TO:<a@bench.example>"]


def test_pipelined_commands_are_answered_together() -> None:
    """All that is whole is answered at once, and what follows the mail in the same bytes is not lost."""
    box = Box()
    again = TALK.partition(b"\r\n")[2]
    said = Session(box).feed(TALK + MAIL + b".\r\n" + again + MAIL + b".\r\n")

    assert box.count.count == 2
    assert said.count(b"queued as") == 2


def test_an_empty_mail_and_an_unknown_command() -> None:
    """A dot alone ends an empty mail; what is not known is refused."""
    box = Box()
    session = Session(box)

    assert session.feed(b"DATA\r\n.\r\n").endswith(b"queued as 0000000001\r\n")
    assert session.feed(b"VRFY x\r\n").startswith(b"502")


async def test_a_foreign_client_is_served() -> None:
    """The bare aiosmtplib loop sends each prepared mail once; all are different."""
    box = Box()
    mails = distinct(MAIL, 11)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(box), "127.0.0.1", 0)
    async with server:
        await send_all(server.sockets[0].getsockname()[1], mails, connections=3)

    assert box.count.count == 11
    assert len({mail for _, mail in mails}) == 11
    assert all(mail.count(b"Message-ID") == 1 and mail.endswith(b"\r\n\r\nline\r\n.dot\r\n") for _, mail in mails)
