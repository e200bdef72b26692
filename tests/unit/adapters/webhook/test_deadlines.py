"""What takes too long is ended, in time and only then."""

from __future__ import annotations

import asyncio

from adapters.webhook.deadlines import Deadlines


class Thing:
    """Something that may take too long."""

    def __init__(self, ended: asyncio.Queue[Thing]) -> None:
        self._ended = ended

    def time_out(self) -> None:
        """Say so."""
        self._ended.put_nowait(self)


async def test_the_late_are_ended_in_their_order() -> None:
    """Each is ended when its own time is up; those that were discarded are not."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Queue[Thing] = asyncio.Queue()
    deadlines = Deadlines(0.05)
    things = [Thing(ended) for _ in range(4)]
    now = loop.time()
    for number, thing in enumerate(things):
        deadlines.add(thing, now=now + number / 100)
    deadlines.discard(things[1])
    async with asyncio.timeout(5):
        order = [(await ended.get(), loop.time() - now) for _ in range(3)]

    assert [thing for thing, _ in order] == [things[0], things[2], things[3]]
    assert [after >= due for (_, after), due in zip(order, (0.049, 0.069, 0.079), strict=True)] == [True] * 3


async def test_a_new_one_is_watched_after_all_were_ended() -> None:
    """The timer starts again."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Queue[Thing] = asyncio.Queue()
    deadlines = Deadlines(0.01)
    async with asyncio.timeout(5):
        for _ in range(3):
            thing = Thing(ended)
            deadlines.add(thing, now=loop.time())

            assert await ended.get() is thing


async def test_closed_deadlines_end_nothing() -> None:
    """After close nothing rings."""
    ended: asyncio.Queue[Thing] = asyncio.Queue()
    deadlines = Deadlines(0.01)
    deadlines.add(Thing(ended), now=asyncio.get_running_loop().time())
    deadlines.close()
    await asyncio.sleep(0.05)

    assert ended.empty()
