"""What we ask over one SMPP connection: windows, answers, time-outs, throttling."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.sms.faults import BindRefused, HeldBack, NotBound
from adapters.sms.pdu import Bind, Command, MessageId, Raw, ShortMessage
from adapters.sms.session import Session
from adapters.sms.status import RINVCMDID, Answer

MESSAGE = ShortMessage(destination="77010000001", payload=b"1")
BIND = Bind(system_id="chapar", password="secret")


async def test_bind_refused(connect: Any) -> None:
    """The provider's no carries its code."""
    session, wire = connect()
    async with asyncio.TaskGroup() as tasks:
        binding = tasks.create_task(_refusal(session))
        await asyncio.sleep(0)
        wire.say(Command.BIND_TRANSCEIVER_RESP, 1, None, status=0x0E)

    assert binding.result() == 0x0E
    assert not session.bound


async def _refusal(session: Session) -> int:
    with pytest.raises(BindRefused) as raised:
        await session.bind(BIND)
    return raised.value.status


async def test_answers_find_their_questions(bound: Any) -> None:
    """Responses in any order reach the submit with their sequence number."""
    session, wire = await bound()
    futures = [await session.submit(MESSAGE, pause=0) for _ in range(3)]
    await asyncio.sleep(0)
    numbers = [pdu.sequence for pdu in wire.written]
    for number in reversed(numbers):
        wire.say(Command.SUBMIT_SM_RESP, number, MessageId(f"m{number}"))

    assert [(await future).message_id for future in futures] == [f"m{number}" for number in numbers]


async def test_window_is_kept(bound: Any) -> None:
    """No more submits are outstanding than the window allows; an answer lets the next one out."""
    session, wire = await bound(window=2)
    first = [await session.submit(MESSAGE, pause=0) for _ in range(2)]
    async with asyncio.TaskGroup() as tasks:
        third = tasks.create_task(session.submit(MESSAGE, pause=0))
        for _ in range(5):
            await asyncio.sleep(0)
        waited = not third.done()
        wire.say(Command.SUBMIT_SM_RESP, wire.written[0].sequence, MessageId("a"))
        await third
    await asyncio.sleep(0)

    assert waited
    assert len(wire.written) == 3
    assert (await first[0]).message_id == "a"


async def test_what_leaves_in_one_turn_leaves_together(bound: Any) -> None:
    """Submits of one turn of the loop are one write, in order."""
    session, wire = await bound()
    for _ in range(4):
        await session.submit(MESSAGE, pause=0)
    before = len(wire.written)
    await asyncio.sleep(0)

    assert before == 0
    assert [pdu.sequence for pdu in wire.written] == [2, 3, 4, 5]


async def test_no_answer_in_time_is_unknown_and_ends_a_silent_connection(bound: Any) -> None:
    """A submit that is not answered may have left; a peer that says nothing at all is given up."""
    session, _wire = await bound(timeout=0.05)
    future = await session.submit(MESSAGE, pause=0)

    assert await future == Answer(lost="timeout")
    assert await session.closed == "no_answer"


async def test_one_lost_answer_does_not_end_a_living_connection(bound: Any) -> None:
    """When other answers come, one that is missing costs only itself; coming late it is ignored."""
    session, wire = await bound(timeout=0.1)
    lost = await session.submit(MESSAGE, pause=0)
    await asyncio.sleep(0.01)
    wire.say(Command.ENQUIRE_LINK, 99)
    answer = await lost
    wire.say(Command.SUBMIT_SM_RESP, 2, MessageId("late"))

    assert answer == Answer(lost="timeout")
    assert session.bound
    assert not session.closed.done()


async def test_lost_connection_answers_everyone(bound: Any) -> None:
    """Who waits for an answer, or for room in the window, is told at once."""
    session, wire = await bound(window=1)
    future = await session.submit(MESSAGE, pause=0)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(_not_bound(session))
        await asyncio.sleep(0)
        wire.abort()

    assert await future == Answer(lost="response_lost")
    assert waiting.result()


async def _not_bound(session: Session) -> bool:
    with pytest.raises(NotBound):
        await session.submit(MESSAGE, pause=0)
    return True


async def test_throttling_holds_the_whole_bind(bound: Any) -> None:
    """After a throttling answer nobody submits for the pause, and no place in the window is lost."""
    session, wire = await bound(window=1)
    future = await session.submit(MESSAGE, pause=1)
    wire.say(Command.SUBMIT_SM_RESP, 2, None, status=0x58)
    for _ in range(3):
        with pytest.raises(HeldBack) as raised:
            await session.submit(MESSAGE, pause=1)

    assert (await future).throttled
    assert 0 < raised.value.seconds <= 1
    assert not (await session.submit(MESSAGE, pause=0)).done()


async def test_wrong_kind_of_response_is_no_answer(bound: Any) -> None:
    """A response of another command is ignored; a generic_nack is an answer, even without a reason."""
    session, wire = await bound()
    one, two = [await session.submit(MESSAGE, pause=0) for _ in range(2)]
    wire.say(Command.ENQUIRE_LINK_RESP, 2)
    ignored = not one.done()
    wire.say(Command.GENERIC_NACK, 2, None, status=0x58)
    wire.say(Command.GENERIC_NACK, 3)

    assert ignored
    assert (await one).throttled
    assert (await two).status == RINVCMDID


async def test_unreadable_response_still_counts(bound: Any) -> None:
    """A response whose body is broken says by its status that the message was taken."""
    session, wire = await bound()
    future = await session.submit(MESSAGE, pause=0)
    wire.say(Command.SUBMIT_SM_RESP, 2, Raw(b"x" * 100))

    assert (await future).accepted
