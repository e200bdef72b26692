"""A channel's rate is shared by all workers and never exceeded."""

import asyncio
import time

import pytest

from relay.adapter import Class
from relay.fanout.rate import Rates
from relay.store.connection import Connection
from relay.store.keys import Partition


@pytest.fixture
def rates(redis: Connection) -> Rates:
    return Rates(redis, Partition())


async def test_unlimited_channel_costs_nothing(rates: Rates, redis: Connection) -> None:
    """A rate of 0 grants everything and touches nothing."""
    assert await rates.take("webhook", klass=Class.P2, per_second=0, wanted=1000) == 1000
    assert await redis.call("DBSIZE") == 0


async def test_burst_is_a_quarter_of_a_second(rates: Rates) -> None:
    """An idle channel starts with what gathers in 250 ms, no more."""
    assert await rates.take("sms", klass=Class.P2, per_second=400, wanted=1000) == 100


async def test_small_wish_is_granted_whole(rates: Rates) -> None:
    """What is wanted is granted as long as there is room; the next ones wait for their share."""
    found = [await rates.take("sms", klass=Class.P2, per_second=40, wanted=4) for _ in range(2)]

    assert found == [4, 4]


async def test_channels_do_not_share(rates: Rates) -> None:
    """Each channel has its own rate."""
    await rates.take("one", klass=Class.P2, per_second=4, wanted=100)

    assert await rates.take("two", klass=Class.P2, per_second=4, wanted=1) == 1


@pytest.mark.parametrize("per_second", [80, 1000])
async def test_rate_is_never_exceeded(rates: Rates, per_second: int) -> None:
    """Four workers that ask without pause get rate × time plus one burst at most, and nearly all of it."""
    began = time.monotonic()
    ends = began + 1.0

    async def worker() -> int:
        granted = 0
        while time.monotonic() < ends:
            granted += await rates.take("sms", klass=Class.P2, per_second=per_second, wanted=7)
        return granted

    async with asyncio.TaskGroup() as tasks:
        workers = [tasks.create_task(worker()) for _ in range(4)]
    took = time.monotonic() - began
    granted = sum(worker.result() for worker in workers)

    assert granted <= per_second * (took + 0.25) + 1
    assert granted >= per_second * 0.8


async def test_slow_channel_is_not_waited_for(rates: Rates) -> None:
    """What cannot start within a quarter of a second is put off instead of holding its chunk."""
    first = await rates.take("sms", klass=Class.P2, per_second=0.5, wanted=5)
    began = time.monotonic()
    second = await rates.take("sms", klass=Class.P2, per_second=0.5, wanted=5)

    assert (first, second) == (1, 0)
    assert time.monotonic() - began < 0.2


async def test_next_token_is_waited_for(rates: Rates) -> None:
    """A token that is free soon is waited for, and not longer than that."""
    await rates.take("sms", klass=Class.P2, per_second=20, wanted=5)
    began = time.monotonic()
    granted = await rates.take("sms", klass=Class.P2, per_second=20, wanted=5)

    assert granted == 1
    assert 0.02 < time.monotonic() - began < 0.2


async def test_server_says_when(redis: Connection) -> None:
    """The script's answer is the time until the next token, in milliseconds."""
    key = Partition().rate("sms")
    grants = [await redis.run("rate", [key], [1, 1, 1, 1, 3]) for _ in range(2)]

    assert grants[0] == [1, 0]
    assert grants[1][0] == 0
    assert 900 < grants[1][1] <= 1000


@pytest.mark.parametrize("per_second", [1.0, 10.0])
async def test_long_messages_keep_the_rate(redis: Connection, per_second: float) -> None:
    """A message of three parts costs three tokens also where fewer gather; it was counted as what had gathered."""
    key = Partition().rate("sms")
    burst = max(1.0, per_second / 4)
    first, _ = await redis.run("rate", [key], [per_second, burst, 5, 3, 3])
    second, wait = await redis.run("rate", [key], [per_second, burst, 5, 3, 3])

    assert (first, second) == (1, 0)
    assert wait == pytest.approx(3 / per_second * 1000 - (burst - int(burst)) / per_second * 1000, abs=20)


async def test_long_messages_fit_the_room(rates: Rates) -> None:
    """Where many tokens gather, whole messages are granted, and what is left over is not lost."""
    first = await rates.take("sms", klass=Class.P2, per_second=80, wanted=50, cost=3)
    second = await rates.take("sms", klass=Class.P2, per_second=80, wanted=50, cost=1)

    assert first == 6
    assert second in (2, 3)


async def test_worse_news_gets_all_tokens(rates: Rates) -> None:
    """While a flash alert waits for a channel's rate, minor ones get nothing of it; they took their share before."""

    async def minor(stopping: asyncio.Event) -> int:
        granted = 0
        while not stopping.is_set():
            granted += await rates.take("sms", klass=Class.P4, per_second=200, wanted=50)
        return granted

    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        minors = [tasks.create_task(minor(stopping)) for _ in range(4)]
        await asyncio.sleep(0.3)
        began, missing = time.monotonic(), 40
        while missing:
            missing -= await rates.take("sms", klass=Class.P0, per_second=200, wanted=missing)
        took = time.monotonic() - began
        stopping.set()

    assert took < 40 / 200 + 0.1
    assert sum(task.result() for task in minors) <= 0.3 * 200 + 50 + 10


async def test_nothing_starves(rates: Rates) -> None:
    """Urgent alerts that never end leave about one token in 17 to the minor ones."""
    ends = time.monotonic() + 1.5

    async def ask(klass: Class) -> int:
        granted = 0
        while time.monotonic() < ends:
            granted += await rates.take("sms", klass=klass, per_second=400, wanted=50)
        return granted

    async with asyncio.TaskGroup() as tasks:
        urgent, minor = tasks.create_task(ask(Class.P1)), tasks.create_task(ask(Class.P4))

    assert 5 <= minor.result() <= urgent.result() / 10


async def test_channel_is_free_again(rates: Rates) -> None:
    """Three quarters of a second after the last urgent wish, minor alerts have the channel for themselves."""
    await rates.take("sms", klass=Class.P0, per_second=80, wanted=50)
    refused = await rates.take("sms", klass=Class.P4, per_second=80, wanted=1)
    await asyncio.sleep(0.8)

    assert refused == 0
    assert await rates.take("sms", klass=Class.P4, per_second=80, wanted=10) == 10


async def test_reads_what_the_version_before_wrote(rates: Rates, redis: Connection) -> None:
    """A channel's rate was one number; it is read on."""
    await redis.call("SET", Partition().rate("sms"), f"{time.time() * 1000 + 10_000:.3f}")

    assert await rates.take("sms", klass=Class.P2, per_second=80, wanted=1) == 0
