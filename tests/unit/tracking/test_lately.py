"""Receipts and replies of the last seconds are said again when Redis may have forgotten them."""

from __future__ import annotations

import pytest

from relay.errors import StoreUnavailable
from relay.testing.clocks import FakeClock
from relay.tracking.lately import GIVE_UP, LONGEST_PAUSE, PAUSE, REMEMBER, Lately


class World:
    """A memory, and a Redis that hears words or is away."""

    def __init__(self, *, most: int = 1000) -> None:
        self.clock = FakeClock()
        self.lately = Lately(clock=self.clock, most=most)
        self.heard: list[int] = []
        self.away = False

    def say(self, word: int) -> None:
        async def again() -> None:
            if self.away:
                raise StoreUnavailable("away")
            self.heard.append(word)

        self.lately.note(again)

    async def repeat(self) -> None:
        """Do what the worker does every half second."""
        if self.lately.owing:
            await self.lately.repeat()

    async def lose(self) -> None:
        """Let Redis forget."""
        self.lately.forgotten()
        await self.repeat()


@pytest.fixture
def world() -> World:
    return World()


async def test_nothing_is_repeated_without_a_loss(world: World) -> None:
    """As long as nothing was forgotten, nothing is owed."""
    world.say(1)
    await world.repeat()

    assert world.heard == []


async def test_last_seconds_are_said_again_once(world: World) -> None:
    """What is older than ten seconds is safe; the rest comes in its order, at once, and not again."""
    world.say(0)
    world.clock.advance(REMEMBER + 1)
    for word in range(1, 200):
        world.say(word)
    losses: list[int] = []
    world.lately.on_loss = lambda: losses.append(len(world.heard))
    world.lately.forgotten()
    await world.repeat()
    world.clock.advance(PAUSE)
    await world.repeat()

    assert losses == [0]
    assert world.heard == list(range(1, 200))


async def test_every_loss_counts(world: World) -> None:
    """Two failovers within seconds: the second one may have lost what was repeated after the first."""
    world.say(1)
    await world.lose()
    world.away = True
    await world.lose()
    await world.lose()
    world.away = False
    world.clock.advance(LONGEST_PAUSE)
    await world.repeat()

    assert world.heard == [1, 1]


async def test_words_wait_for_redis(world: World) -> None:
    """What is not taken is said later; after two minutes it is given up."""
    world.away = True
    world.say(1)
    await world.lose()
    world.away = False
    await world.repeat()
    too_soon = list(world.heard)
    world.clock.advance(PAUSE)
    await world.repeat()
    world.away = True
    world.say(2)
    await world.lose()
    world.clock.advance(GIVE_UP + 1)
    await world.repeat()

    assert (too_soon, world.heard) == ([], [1])
    assert not world.lately.owing


async def test_memory_is_bounded() -> None:
    """However many words come within ten seconds, only so many are kept: the newest."""
    world = World(most=5)
    for word in range(20):
        world.say(word)
    await world.lose()
    await world.repeat()

    assert world.heard == [15, 16, 17, 18, 19]
