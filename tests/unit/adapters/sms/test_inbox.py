"""The inbox answers the provider only for what it holds."""

from __future__ import annotations

import asyncio

from adapters.sms.inbox import Inbox
from adapters.sms.status import ROK, RX_T_APPN
from relay.adapter import Inbound


def said(number: int) -> Inbound:
    """An event."""
    return Inbound(sender="+77010000001", text=str(number))


async def test_full_inbox_answers_later_then_asks_to_come_again() -> None:
    """Two fit, two wait unanswered, the fifth is sent back; taking one lets the next in, in order."""
    inbox = Inbox(size=2, unanswered=2)
    answers: dict[int, int] = {}
    for number in range(5):
        inbox.put((said(number),), lambda status, number=number: answers.update({number: status}))  # type: ignore[misc]
    at_first = dict(answers)
    events = inbox.events()
    first = await anext(events)
    after_one = dict(answers)

    assert at_first == {0: ROK, 1: ROK, 4: RX_T_APPN}
    assert first == said(0)
    assert after_one == {**at_first, 2: ROK}
    assert [await anext(events) for _ in range(3)] == [said(1), said(2), said(3)]
    assert answers[3] == ROK


async def test_close_ends_after_what_was_answered() -> None:
    """What the provider was told is kept is still given out; what waits unanswered stays with the provider."""
    inbox = Inbox(size=1, unanswered=5)
    answers: list[int] = []
    inbox.put((said(1),), answers.append)
    inbox.put((said(2),), answers.append)
    inbox.close()

    assert [event async for event in inbox.events()] == [said(1)]
    assert answers == [ROK]


async def test_waiting_reader_is_woken() -> None:
    """A reader that waits gets the next event, and the end."""
    inbox = Inbox(size=10, unanswered=0)

    async def read() -> list[object]:
        return [event async for event in inbox.events()]

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        await asyncio.sleep(0)
        inbox.put((said(1), said(2)), lambda _status: None)
        await asyncio.sleep(0)
        inbox.close()

    assert reading.result() == [said(1), said(2)]
