"""Open breakers are closed by asking the provider."""

import asyncio

import pytest

from relay.adapter import Outcome, Scope, Verdict
from relay.fanout.breaker import PAUSES
from relay.fanout.channels import Channels, OpenChannel
from relay.fanout.probe import Prober
from relay.testing.clocks import FakeClock
from tests.unit.fanout.test_channels import Playing, with_adapter


class Asked(Playing):
    """An adapter whose provider can be asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[str | Exception] = []
        self.questions = 0

    async def health(self) -> str:
        self.questions += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def broken(adapter: Playing) -> OpenChannel:
    """Return a channel whose breaker was opened by its configuration, just now."""
    channel = with_adapter(adapter)
    channel.breaker.hear([Outcome(verdict=Verdict.REJECTED, scope=Scope.CONFIG)], now=channel.clock.monotonic())
    return channel


async def asked(channel: OpenChannel) -> None:
    """Let the prober ask once."""
    stopping = asyncio.Event()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(Prober(Channels({"first": channel})).run(stopping))
        await asyncio.sleep(0)
        stopping.set()


@pytest.mark.parametrize(("answer", "is_open"), [("", False), ("not bound", True), (OSError(), True)])
async def test_provider_is_asked_when_the_pause_is_over(answer: str | Exception, is_open: bool) -> None:
    """A provider that answers is used again; one that does not, or whose adapter fails, stays out."""
    adapter = Asked()
    adapter.answers = [answer]
    channel = await broken(adapter)
    await asked(channel)
    assert adapter.questions == 0
    assert isinstance(channel.clock, FakeClock)
    channel.clock.advance(PAUSES[0])
    await asked(channel)

    assert adapter.questions == 1
    assert channel.breaker.is_open is is_open


async def test_adapter_that_cannot_be_asked_tries_one_message() -> None:
    """Without a probe the next message finds out; nobody is asked."""
    channel = await broken(Playing())
    assert isinstance(channel.clock, FakeClock)
    channel.clock.advance(PAUSES[0])
    await asked(channel)

    assert channel.admits() == 1


async def test_working_provider_is_left_alone() -> None:
    """Nobody is asked while all is well."""
    adapter = Asked()
    await asked(with_adapter(adapter))

    assert adapter.questions == 0
