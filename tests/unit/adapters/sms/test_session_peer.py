"""What the far end asks over one SMPP connection: life signs, receipts and their back-pressure, farewells, garbage."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.sms.codec import encode
from adapters.sms.pdu import Bind, BindResp, Command, MessageId, Pdu, Raw, ShortMessage
from adapters.sms.status import RINVBNDSTS, RINVCMDID, RINVCMDLEN, RX_T_APPN

MESSAGE = ShortMessage(destination="77010000001", payload=b"1")
BIND = Bind(system_id="chapar", password="secret")


async def test_life_signs_both_ways(bound: Any) -> None:
    """The peer's enquire_link is answered; ours is sent after silence, and silence after it ends the connection."""
    session, wire = await bound(enquire=0.02, timeout=0.05)
    wire.say(Command.ENQUIRE_LINK, 77)
    why = await session.closed

    assert [(p.command, p.sequence) for p in wire.written][:2] == [
        (Command.ENQUIRE_LINK_RESP, 77),
        (Command.ENQUIRE_LINK, 2),
    ]
    assert why == "no_answer"


async def test_a_life_sign_can_be_asked_for(bound: Any) -> None:
    """Who wants to know whether the peer still answers asks it, and hears why not when it does not."""
    session, wire = await bound(timeout=0.05)
    async with asyncio.TaskGroup() as tasks:
        answered = tasks.create_task(session.probe())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        wire.say(Command.ENQUIRE_LINK_RESP, wire.written[-1].sequence)
    silent = await session.probe()
    await session.closed

    assert (answered.result(), silent, await session.probe()) == ("", "timeout", "not bound")


async def test_receipt_is_answered_when_it_is_kept(bound: Any) -> None:
    """A deliver_sm is answered when its event is safe, not before; meanwhile submits go on."""
    acks: list[Callable[[int], None]] = []
    session, wire = await bound(deliver=lambda _message, ack: acks.append(ack))
    wire.say(Command.DELIVER_SM, 500, MESSAGE)
    wire.say(Command.DELIVER_SM, 501, MESSAGE)
    await session.submit(MESSAGE, pause=0)
    await asyncio.sleep(0)
    before = [p.command for p in wire.written]
    acks[1](0)
    acks[0](RX_T_APPN)
    await asyncio.sleep(0)

    assert before == [Command.SUBMIT_SM]
    assert [(p.command, p.sequence, p.status) for p in wire.written[1:]] == [
        (Command.DELIVER_SM_RESP, 501, 0),
        (Command.DELIVER_SM_RESP, 500, RX_T_APPN),
    ]


async def test_receipt_in_the_segment_of_the_bind_response(connect: Any) -> None:
    """A receipt that comes glued to the bind response is kept, not refused."""
    kept: list[ShortMessage] = []
    session, wire = connect(deliver=lambda message, _ack: kept.append(message))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(session.bind(BIND))
        await asyncio.sleep(0)
        answer = encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 1, BindResp()))
        session.data_received(answer + encode(Pdu(Command.DELIVER_SM, 1, MESSAGE)))

    assert kept == [MESSAGE]
    assert wire.written[0].command == Command.BIND_TRANSCEIVER


async def test_requests_that_are_not_for_us(bound: Any) -> None:
    """Unknown and unreadable requests are refused by number; alert_notification has no response."""
    _session, wire = await bound()
    wire.say(0x103, 5, Raw(b"data_sm"))
    wire.say(Command.DELIVER_SM, 6, Raw(b"\xff"))
    wire.say(Command.ALERT_NOTIFICATION, 7, Raw(b""))
    await asyncio.sleep(0)

    assert [(p.command, p.sequence, p.status) for p in wire.written] == [
        (Command.GENERIC_NACK, 5, RINVCMDID),
        (Command.GENERIC_NACK, 6, RINVCMDLEN),
    ]


async def test_receipt_before_the_bind_is_refused(connect: Any) -> None:
    """Nothing is taken from a peer that has not accepted the bind."""
    _session, wire = connect()
    wire.say(Command.DELIVER_SM, 1, MESSAGE)
    await asyncio.sleep(0)

    assert [(p.command, p.status) for p in wire.written] == [(Command.DELIVER_SM_RESP, RINVBNDSTS)]


async def test_peer_unbinds(bound: Any) -> None:
    """A provider that says good-bye is answered, and the connection ends."""
    session, wire = await bound()
    wire.say(Command.UNBIND, 8)

    assert await session.closed == "unbound_by_peer"
    assert [(p.command, p.sequence) for p in wire.written] == [(Command.UNBIND_RESP, 8)]


async def test_we_unbind(bound: Any) -> None:
    """We say good-bye and wait for the answer."""
    session, wire = await bound()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(session.unbind())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        wire.say(Command.UNBIND_RESP, wire.written[0].sequence)

    assert session.closed.result() == "unbound"
    assert wire.written[0].command == Command.UNBIND


async def test_lost_framing_ends_the_connection(bound: Any) -> None:
    """After an impossible length nothing can be trusted: a nack, and the end."""
    session, wire = await bound()
    session.data_received(b"HTTP/1.1 400 Bad Request\r\n")

    assert await session.closed == "framing_lost"
    assert wire.written[-1].command == Command.GENERIC_NACK


async def test_peer_that_reads_nothing_is_left(bound: Any) -> None:
    """Answers that pile up unread do not fill the memory."""
    session, wire = await bound()
    wire.unread = 2 << 20
    wire.say(Command.ENQUIRE_LINK, 1)

    assert await session.closed == "peer_reads_nothing"


async def test_cancelled_sender_frees_its_place(bound: Any) -> None:
    """A sender that gave up does not hold the window when its answer comes."""
    session, wire = await bound(window=1)
    future = await session.submit(MESSAGE, pause=0)
    future.cancel()
    wire.say(Command.SUBMIT_SM_RESP, 2, MessageId("a"))

    assert not (await session.submit(MESSAGE, pause=0)).done()


@given(st.lists(st.binary(max_size=80), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_garbage_never_raises(bound: Any, chunks: list[bytes]) -> None:
    """Whatever bytes come, in whatever pieces, framed or not: no exception leaves the protocol."""

    async def hear() -> None:
        session, _wire = await bound()
        for chunk in chunks:
            session.data_received((len(chunk) + 4).to_bytes(4, "big") + chunk)
        session.data_received(b"".join(chunks))
        session.abort("done")
        await session.closed

    asyncio.run(hear())
