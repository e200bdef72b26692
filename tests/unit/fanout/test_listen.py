"""Receipts and replies are applied many at a time, and none is lost while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from relay.adapter import Event, Inbound, Receipt, Verdict
from relay.errors import StoreUnavailable
from relay.fanout.channels import OpenChannel
from relay.fanout.listen import AT_ONCE, Listener
from relay.tracking.receipts import Receipts


class Deaf:
    """An adapter that hears nothing."""


@dataclass
class Hearing:
    """An adapter that yields what a test lets it hear."""

    heard: list[Event]

    async def events(self) -> AsyncIterator[Event]:
        for event in self.heard:
            yield event


@dataclass
class Channel:
    adapter: object
    name: str = "sms"


@dataclass
class Applied:
    """Takes receipts and replies; away for the first ``away`` times."""

    away: int = 0
    taken: list[object] = field(default_factory=list)
    on_take: asyncio.Event | None = None

    def _take(self, what: object) -> bool:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        self.taken.append(what)
        if self.on_take is not None:
            self.on_take.set()
        return True

    async def receive(self, channel: str, receipt: Receipt) -> bool:
        return self._take((channel, receipt.provider_id))

    async def answer(self, address: str, text: str) -> bool:
        return self._take((address, text))


class Slow(Applied):
    """Takes its time, and counts how many it has in hand."""

    now = most = 0

    async def receive(self, channel: str, receipt: Receipt) -> bool:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(10):
            await asyncio.sleep(0)
        self.now -= 1
        return self._take((channel, receipt.provider_id))


EVENTS: list[Event] = [
    Receipt(provider_id="one", verdict=Verdict.DELIVERED),
    Inbound(sender="+77010000001", text="1"),
    Receipt(provider_id="two", verdict=Verdict.REJECTED),
]
IN_ORDER = [("sms", "one"), ("+77010000001", "1"), ("sms", "two")]


def listener(adapter: object, applied: Applied) -> Listener:
    return Listener(cast("OpenChannel", Channel(adapter)), cast("Receipts", applied))


async def test_events_are_applied_in_order() -> None:
    """Receipts find their delivery, replies their alert, in the order in which they were heard."""
    applied = Applied()
    await listener(Hearing(EVENTS), applied).run(asyncio.Event())

    assert applied.taken == IN_ORDER


@pytest.mark.parametrize("away", [1, 2])
async def test_event_waits_for_redis(away: int) -> None:
    """While Redis is away the event is kept and applied later, once."""
    applied = Applied(away=away)
    await listener(Hearing(EVENTS), applied).run(asyncio.Event())

    assert sorted(applied.taken, key=str) == sorted(IN_ORDER, key=str)


async def test_replies_of_one_number_keep_their_order() -> None:
    """The last answer counts: while the first waits for Redis, the second waits for the first."""
    applied = Applied(away=1)
    replies: list[Event] = [Inbound(sender="+77010000001", text=text) for text in "123"]
    await listener(Hearing(replies), applied).run(asyncio.Event())

    assert applied.taken == [("+77010000001", text) for text in "123"]


async def test_events_do_not_wait_for_each_other() -> None:
    """A receipt that takes long holds up no other, and no more than so many are begun at once."""
    applied = Slow()
    receipts: list[Event] = [Receipt(provider_id=str(n), verdict=Verdict.DELIVERED) for n in range(3 * AT_ONCE)]
    await listener(Hearing(receipts), applied).run(asyncio.Event())

    assert applied.taken == [("sms", str(n)) for n in range(3 * AT_ONCE)]
    assert applied.most == AT_ONCE


async def test_what_was_heard_is_applied_at_a_stop_too() -> None:
    """The provider was told that we have it; while Redis is away it cannot be."""
    stopping = asyncio.Event()
    applied = Applied(on_take=stopping)
    await listener(Hearing(EVENTS), applied).run(stopping)
    gone = Applied(away=3)
    async with asyncio.timeout(2):
        await listener(Hearing(EVENTS), gone).run(stopping)

    assert applied.taken == IN_ORDER
    assert gone.taken == []


async def test_deaf_adapter_ends_at_once() -> None:
    """An adapter without events needs no listener."""
    applied = Applied()
    await listener(Deaf(), applied).run(asyncio.Event())

    assert applied.taken == []


class Silent:
    """An adapter that hears nothing for a long time."""

    async def events(self) -> AsyncIterator[Event]:
        await asyncio.sleep(3600)
        yield EVENTS[0]


async def test_stops_while_nothing_is_heard() -> None:
    """A quiet channel does not hold up the end of the worker."""
    stopping, applied = asyncio.Event(), Applied()
    async with asyncio.timeout(2), asyncio.TaskGroup() as tasks:
        tasks.create_task(listener(Silent(), applied).run(stopping))
        await asyncio.sleep(0.01)
        stopping.set()

    assert applied.taken == []


class Lasting(Hearing):
    """Goes on hearing after what a test lets it hear."""

    async def events(self) -> AsyncIterator[Event]:
        for event in self.heard:
            yield event
            await asyncio.sleep(0)
        await asyncio.sleep(3600)


async def test_a_heard_event_survives_the_stop() -> None:
    """A receipt that was heard in the moment of the stop is applied, or stays with the adapter: never half."""
    stopping = asyncio.Event()
    applied = Applied(on_take=stopping)
    async with asyncio.timeout(2):
        await listener(Lasting(EVENTS), applied).run(stopping)

    assert applied.taken == IN_ORDER[: len(applied.taken)]
    assert applied.taken
