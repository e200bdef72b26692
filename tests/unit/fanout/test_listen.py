"""Receipts and replies are applied one after the other, and none is lost while Redis is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from relay.adapter import Event, Inbound, Receipt, Verdict
from relay.errors import StoreUnavailable
from relay.fanout.channels import OpenChannel
from relay.fanout.listen import Listener
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

    assert applied.taken == IN_ORDER


async def test_stops_after_the_event_in_hand() -> None:
    """A stop ends the listening after the current event."""
    stopping = asyncio.Event()
    applied = Applied(on_take=stopping)
    await listener(Hearing(EVENTS), applied).run(stopping)

    assert applied.taken == IN_ORDER[:1]


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
