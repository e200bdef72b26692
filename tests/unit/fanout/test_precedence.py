"""Less urgent work gives way for a moment."""

import asyncio

import pytest

from relay.adapter import Class
from relay.fanout.precedence import Precedence


@pytest.mark.parametrize("klass", [Class.P0, Class.P1])
async def test_low_work_waits_until_the_urgent_is_done(klass: Class) -> None:
    """A step of a low chunk begins when the urgent one is through."""
    precedence = Precedence()
    order: list[str] = []

    async def low() -> None:
        await precedence.give_way(Class.P4)
        order.append("low")

    async with asyncio.TaskGroup() as tasks:
        with precedence.ahead(klass):
            tasks.create_task(low())
            await asyncio.sleep(0)
            order.append("urgent")

    assert order == ["urgent", "low"]


async def test_nobody_waits_for_long() -> None:
    """Urgent work without an end costs others a moment a step, no more; urgent work itself waits for nobody."""
    precedence = Precedence()
    with precedence.ahead(Class.P0):
        await precedence.give_way(Class.P1)
        async with asyncio.timeout(2):
            await precedence.give_way(Class.P2)


async def test_low_work_does_not_hold_up_others() -> None:
    """Two low chunks do not wait for each other; what is inside of two urgent blocks ends with the last."""
    precedence = Precedence()
    with precedence.ahead(Class.P3):
        async with asyncio.timeout(0.01):
            await precedence.give_way(Class.P4)


async def test_the_next_piece_of_urgent_work_finds_the_way_free() -> None:
    """Between the plan and the claim of a flash nothing else slips in; then everybody goes on."""
    precedence = Precedence()
    with precedence.ahead(Class.P0), precedence.ahead(Class.P1):
        pass
    loop = asyncio.get_running_loop()
    began = loop.time()
    await precedence.give_way(Class.PX)
    waited = loop.time() - began
    await precedence.give_way(Class.PX)

    assert waited > 0.005
    assert loop.time() - began < 2 * waited + 0.05


async def test_the_announced_is_waited_for() -> None:
    """Who hears the bell of urgent news stops the others before the news itself is read."""
    precedence = Precedence()
    precedence.coming()
    low = asyncio.ensure_future(precedence.give_way(Class.P4))
    await asyncio.sleep(0.001)

    assert not low.done()
    await low
