"""One host gets a bounded share of the relay."""

from __future__ import annotations

import asyncio

import pytest

from adapters.webhook.hosts import Host, Hosts


def soon(seconds: float) -> float:
    """Return the loop's time in ``seconds``."""
    return asyncio.get_running_loop().time() + seconds


async def test_no_more_than_the_limit_enter() -> None:
    """The slot after the last is refused when its time is up."""
    host = Host(2)
    entered = [await host.enter(by=soon(0.02)) for _ in range(3)]

    assert entered == [True, True, False]
    assert host.under_way == 2


async def test_waiting_ends_when_a_slot_is_free() -> None:
    """Who waits gets the slot that another leaves."""
    host = Host(1)
    await host.enter(by=soon(1))
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(host.enter(by=soon(5)))
        await asyncio.sleep(0)
        host.leave()

    assert waiting.result() is True


async def test_slots_are_handed_over_in_order() -> None:
    """Who waits longest is next, and who gave up is passed over without losing the slot."""
    host = Host(1)
    await host.enter(by=soon(1))
    order: list[str] = []

    async def wait(name: str, seconds: float) -> None:
        if await host.enter(by=soon(seconds)):
            order.append(name)
            host.leave()

    async with asyncio.TaskGroup() as tasks:
        impatient = tasks.create_task(wait("impatient", 0.01))
        tasks.create_task(wait("first", 5))
        tasks.create_task(wait("second", 5))
        await impatient
        host.leave()

    assert order == ["first", "second"]
    assert host.under_way == 0


async def test_cancelled_waiters_lose_no_slot() -> None:
    """A send that is cancelled while a slot is handed to it gives the slot on."""
    host = Host(1)
    await host.enter(by=soon(1))
    waiting = asyncio.get_running_loop().create_task(host.enter(by=soon(5)))
    await asyncio.sleep(0)
    host.leave()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert host.under_way == 0


async def test_nobody_enters_late() -> None:
    """A free slot does not help when the time is already up."""
    assert await Host(1).enter(by=soon(-1)) is False


async def test_hosts_are_remembered_within_bounds() -> None:
    """A million hosts do not fill the memory, and one that is busy is never forgotten."""
    hosts = Hosts(2)
    busy = hosts.get("busy")
    await busy.enter(by=soon(1))
    for number in range(1000):
        hosts.get(f"host{number}")

    assert hosts.get("busy") is busy
    assert len(hosts._hosts) <= 257


async def test_connections_of_passers_by_are_not_kept() -> None:
    """Beyond some hundred hosts only those that come again keep their connection."""
    hosts = Hosts(2)
    early = hosts.get("early")
    keeps_early = hosts.keeps_connection(early)
    for number in range(300):
        hosts.get(f"host{number}")
    passer_by = hosts.get("passer-by")
    await passer_by.enter(by=soon(1))
    keeps_first = hosts.keeps_connection(passer_by)
    await passer_by.enter(by=soon(1))

    assert (keeps_early, keeps_first, hosts.keeps_connection(passer_by)) == (True, False, True)
