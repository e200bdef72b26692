"""The SMS sink speaks SMPP with our own client, and its receipts are ones that our adapter reads."""

from __future__ import annotations

import asyncio

from adapters.sms.codec import decode, encode
from adapters.sms.pdu import Command, MessageId, Pdu, ShortMessage
from adapters.sms.receipt import receipt_of
from bench.bare_smpp import items, messages, read, send_all, submit_all
from bench.smpp_sink import Centre, Connection, Session, receipt
from relay.adapter import Verdict

SUBMIT = encode(Pdu(Command.SUBMIT_SM, 7, ShortMessage(destination="77010000001", payload=b"hello")))


def test_every_message_gets_an_id_of_its_own() -> None:
    """Two PDUs that come together, or in pieces, are two; the answers bear their sequence numbers."""
    centre = Centre()
    session = Session(centre)
    said = session.feed(SUBMIT + SUBMIT[:20]) + session.feed(SUBMIT[20:])
    first, second = decode(said[: len(said) // 2]), decode(said[len(said) // 2 :])

    assert (first.command, first.sequence, first.body) == (Command.SUBMIT_SM_RESP, 7, MessageId("00000001"))
    assert second.body == MessageId("00000002")
    assert centre.sample == SUBMIT


def test_a_receipt_says_delivered() -> None:
    """Our adapter's own reader understands it."""
    pdu = decode(receipt(5, b"0000002a"))
    assert isinstance(pdu.body, ShortMessage)
    read = receipt_of(pdu.body, ids="same")

    assert read is not None
    assert (read.provider_id, read.verdict) == ("0000002a", Verdict.DELIVERED)


async def test_our_client_submits_and_takes_receipts() -> None:
    """The bare loop submits every message; receipts go out within a window and each is answered."""
    centre = Centre()
    prepared = messages(read(SUBMIT), 120)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(centre), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        accepted = await submit_all(port, prepared, window=50)

    assert accepted == centre.count.count == len(centre.ids) == 120
    assert len({message.destination for message in prepared}) == 120


async def test_answers_come_as_late_as_asked() -> None:
    """As those of a centre that is a few milliseconds away: a window of 50 waits for two answers to send 120."""
    centre, loop = Centre(), asyncio.get_running_loop()
    centre.later = 0.05
    server = await loop.create_server(lambda: Connection(centre), "127.0.0.1", 0)
    async with server:
        began = loop.time()
        accepted = await submit_all(server.sockets[0].getsockname()[1], messages(read(SUBMIT), 120), window=50)
        took = loop.time() - began

    assert accepted == 120
    assert took >= 4 * 0.05  # the bind, and three windows


async def test_our_adapter_sends_what_the_relay_sent() -> None:
    """Every delivery is one message, as long as the sample, with a link and a number of its own."""
    text = b"Wind. http://x.example/a/abcdefghijk"
    sample = ShortMessage(destination="77010000001", payload=text, registered_delivery=1)
    centre = Centre()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(centre), "127.0.0.1", 0)
    async with server:
        accepted = await send_all(server.sockets[0].getsockname()[1], items(sample, 130), window=50)
    last = read(centre.sample)

    assert accepted == centre.count.count == 130
    assert last.payload == b"Wind. http://x.example/a/abcd" + last.destination[4:].encode()
    assert len(last.payload) == len(text)


async def test_receipts_without_a_bind_are_none() -> None:
    """Nobody to send to is no error of the sink."""
    assert await Centre().receipts(10) == {"count": 0, "seconds": 0.0, "refused": 0}
