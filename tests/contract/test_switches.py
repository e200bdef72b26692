"""Switches, keys, heartbeats and refusals."""

import pytest

from relay.store.connection import Connection
from relay.store.switches import REFUSED_KEPT, STOP, Switches


@pytest.fixture
def switches(redis: Connection) -> Switches:
    return Switches(redis)


async def test_switch_is_set_until_it_is_cleared(switches: Switches) -> None:
    """A switch says who set it; clearing one leaves the others."""
    await switches.set(STOP, "duty officer")
    await switches.set("pause:sms", "somebody")
    both = await switches.read()
    await switches.clear(STOP)
    await switches.clear("never set")

    assert both == {STOP: "duty officer", "pause:sms": "somebody"}
    assert await switches.read() == {"pause:sms": "somebody"}


async def test_keys_are_stored(switches: Switches) -> None:
    """Register entries come back; a new one replaces the old."""
    await switches.put_keys({"one": b"1", "two": b"2"})
    await switches.put_keys({"two": b"revoked"})
    await switches.put_keys({})

    assert await switches.keys() == {"one": b"1", "two": b"revoked"}


async def test_workers_come_and_go(switches: Switches) -> None:
    """The last heartbeat of each worker counts; forgetting nobody is harmless."""
    await switches.beat("one", {"at": 1.5})
    await switches.beat("one", {"at": 2.5, "channels": {"sms": {"total": 3}}})
    await switches.beat("two", {"at": 2.0})
    await switches.forget_workers([])
    await switches.forget_workers(["two", "unknown"])

    assert await switches.workers() == {"one": {"at": 2.5, "channels": {"sms": {"total": 3}}}}


async def test_refusals_are_bounded(switches: Switches, redis: Connection) -> None:
    """The newest refusals are kept, the newest first."""
    await redis.call("RPUSH", "c1:{ctl}:refused", *[b"{}"] * REFUSED_KEPT)
    for number in range(3):
        await switches.refused({"number": number})
    newest = await switches.refusals(4)

    assert newest == [{"number": 2}, {"number": 1}, {"number": 0}, {}]
    assert len(await switches.refusals(10_000)) == REFUSED_KEPT
