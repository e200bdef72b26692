"""What a worker tells again when another server answers."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from relay.fanout.repeating import Repeating
from tests.contract.engine_side import Engine


@dataclass
class Channel:
    name: str
    index: int = 0


@dataclass
class Rest:
    """Everything else of a worker: nothing is owed."""

    channels: Sequence[Channel]
    on_change: list[asyncio.Event] = field(default_factory=list)
    forgets: int = 0
    losses: int = 0
    owing: bool = False

    def __iter__(self) -> Iterator[Channel]:
        return iter(self.channels)

    def forget(self) -> None:
        self.forgets += 1

    def forgotten(self) -> None:
        self.losses += 1


async def test_channels_keep_their_numbers(engine: Engine) -> None:
    """Records name a channel by its number: after a loss it is the same, whoever comes first."""
    channels = [Channel("sms"), Channel("email")]
    for channel in channels:
        channel.index = await engine.legs.channel_index(channel.name)
    await engine.redis.call("FLUSHALL")
    rest: Any = Rest(channels[::-1])
    repeating = Repeating(rest, rest, rest, rest, engine.legs, rest)
    rest.on_change[0].set()
    stopping = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(repeating.run(stopping))
        while len(await engine.legs.channels()) < 2:
            await asyncio.sleep(0.01)
        stopping.set()
        cast("asyncio.Event", rest.on_change[0]).set()

    assert await engine.legs.channels() == {"sms": 1, "email": 2}
    assert rest.forgets >= 1
    assert rest.losses >= 1


async def test_numbers_are_never_given_twice(engine: Engine) -> None:
    """A new channel takes no number that another had, nor one that is said to be its own and is not."""
    await engine.legs.channel_index("email", known=2)
    fresh = await engine.legs.channel_index("webhook")
    other = await engine.legs.channel_index("sms", known=2)

    assert (fresh, other) == (3, 4)
    assert await engine.legs.channel_index("email", known=7) == 2
