"""A slow recipient holds his own place at a provider, not that of his whole batch."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.fanout.in_flight import InFlight, Places


async def enter(room: InFlight, count: int, order: list[int]) -> Places:
    """Enter and write down when."""
    places = await room.enter(count)
    order.append(count)
    return places


async def test_no_more_than_fit_are_let_in() -> None:
    """What does not fit waits, and gets in as soon as single places come free."""
    room, order = InFlight(4), list[int]()
    first = await enter(room, 3, order)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(enter(room, 2, order))
        await asyncio.sleep(0)
        before = list(order)
        first.free_one()

    assert (before, order) == ([3], [3, 2])


async def test_nobody_is_overtaken() -> None:
    """A large batch is not kept waiting for ever by small ones that would fit."""
    room, order = InFlight(4), list[int]()
    first = await enter(room, 2, order)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(enter(room, 4, order))
        await asyncio.sleep(0)
        small = tasks.create_task(enter(room, 1, order))
        await asyncio.sleep(0)
        before = list(order)
        first.free_all()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        small.cancel()

    assert (before, order) == ([2], [2, 4])


async def test_who_gives_up_lets_others_in() -> None:
    """A cancelled batch, waiting or just let in, keeps no place."""
    room, order = InFlight(4), list[int]()
    first = await enter(room, 3, order)
    async with asyncio.TaskGroup() as tasks:
        large = tasks.create_task(enter(room, 4, order))
        await asyncio.sleep(0)
        small = tasks.create_task(enter(room, 1, order))
        await asyncio.sleep(0)
        large.cancel()
        (await small).free_all()
        given = tasks.create_task(enter(room, 2, order))
        await asyncio.sleep(0)
        first.free_one()
        given.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given
        first.free_all()

    assert room._free == 4
    assert order == [3, 1]


async def test_a_batch_larger_than_the_room_goes_alone() -> None:
    """It is not kept out for ever."""
    room, order = InFlight(2), list[int]()
    (await enter(room, 9, order)).free_all()

    assert (order, room._free) == ([9], 2)


@given(st.lists(st.integers(1, 6), max_size=12))
def test_places_come_back_once(counts: list[int]) -> None:
    """However often a batch says that it is over, the room has as many places as before."""

    async def run() -> int:
        room = InFlight(6)
        for count in counts:
            places = await room.enter(count)
            places.free_one()
            places.free_all()
            places.free_one()
            places.free_all()
        return room._free

    assert asyncio.run(run()) == 6
