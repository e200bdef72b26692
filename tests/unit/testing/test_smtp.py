"""The SMTP receiver of the demo and the tests is a real server, spoken to here by the standard library's client."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage

import pytest

from relay.testing.smtp import Reply, SmtpReceiver


def letter() -> EmailMessage:
    """Return a message with both texts."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@meteo.example", "b@rescue.example", "Сель"
    message.set_content("Выйдите.\n.\nНе ждите.")
    message.add_alternative("<p>Выйдите.</p>", subtype="html")
    return message


def post(receiver: SmtpReceiver, *, login: tuple[str, str] | None = None) -> None:
    """Send :func:`letter` with a client that has nothing to do with aiosmtplib."""
    with smtplib.SMTP(receiver.host, receiver.port, "client.example", timeout=5) as client:
        if login is not None:
            client.login(*login)
        client.send_message(letter())


async def test_decodes_what_arrives() -> None:
    """Texts come out as they were written, with the envelope and the greeting."""
    async with SmtpReceiver() as receiver:
        await asyncio.to_thread(post, receiver)
    mail = receiver.mails[0]

    assert (mail.sender, mail.recipients, mail.hello) == ("a@meteo.example", ("b@rescue.example",), "client.example")
    assert (mail.text, mail.html) == ("Выйдите.\n.\nНе ждите.", "<p>Выйдите.</p>")
    assert mail.message["Subject"] == "Сель"
    assert (mail.tls, mail.user) == (False, "")


async def test_refuses_when_told() -> None:
    """One recipient can be refused while the server lives."""
    async with SmtpReceiver() as receiver:
        receiver.replies["b@rescue.example"] = Reply(stage="rcpt", line="550 5.1.1 unknown")

        with pytest.raises(smtplib.SMTPRecipientsRefused):
            await asyncio.to_thread(post, receiver)
    assert not receiver.mails


async def test_demands_a_password() -> None:
    """With ``login`` only who knows the password gets mail through."""
    async with SmtpReceiver(login=("relay", "right")) as receiver:
        with pytest.raises(smtplib.SMTPSenderRefused):
            await asyncio.to_thread(post, receiver)
        with pytest.raises(smtplib.SMTPAuthenticationError):
            await asyncio.to_thread(post, receiver, login=("relay", "wrong"))
        await asyncio.to_thread(post, receiver, login=("relay", "right"))

    assert [mail.user for mail in receiver.mails] == ["relay"]


async def test_connections_are_counted_and_dropped() -> None:
    """A test can see how many connections a client made, and cut them."""
    async with SmtpReceiver() as receiver:
        await asyncio.to_thread(post, receiver)
        await asyncio.to_thread(post, receiver)
        receiver.drop_connections()

    assert receiver.connections == 2
