"""Open channels: whatever an adapter does, every item gets an outcome and the lane goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
import structlog

from relay.adapter import Batch, Descriptor, Item, Kind, Outcome, Scope, Services, Verdict
from relay.directory.egress import Guard
from relay.errors import ConfigError, ProviderDown
from relay.fanout.channels import Channels, OpenChannel, adapter_class, describe, is_two_way
from relay.fanout.routes import Route
from relay.fanout.tally import Tally
from relay.settings import Channel
from relay.testing.clocks import START, FakeClock
from relay.testing.items import make_item

BATCH = [make_item(n) for n in range(3)]
CONSOLE = Channel(adapter="console", settings={"kind": "sms"})


class Playing:
    """An adapter that does what a test wants."""

    descriptor: ClassVar[Descriptor] = Descriptor(name="playing", kind=Kind.SMS)

    def __init__(self) -> None:
        self.outcomes: Sequence[Outcome] = [Outcome(verdict=Verdict.ACCEPTED)] * 3
        self.error: Exception | None = None
        self.sleeps = 0.0
        self.closed: list[float] = []

    async def open(self) -> None: ...

    async def close(self, *, deadline: float) -> None:
        self.closed.append(deadline)
        if self.error is not None:
            raise self.error

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        await asyncio.sleep(self.sleeps)
        if self.error is not None:
            raise self.error
        return self.outcomes


def opened(channel: Channel = CONSOLE, *, name: str = "first", timeout: float = 5) -> OpenChannel:
    clock = FakeClock()
    services = Services(channel=name, log=structlog.get_logger(), egress=Guard(), clock=clock)
    return OpenChannel(name, channel, services, clock=clock, timeout=timeout)


@pytest.fixture
def playing() -> Playing:
    return Playing()


def with_adapter(adapter: Playing, *, timeout: float = 5) -> OpenChannel:
    channel = opened(timeout=timeout)
    channel.adapter = adapter
    return channel


async def test_outcomes_are_passed_on(playing: Playing) -> None:
    """What the adapter says is what counts, in order."""
    playing.outcomes = [Outcome(verdict=v) for v in (Verdict.ACCEPTED, Verdict.REJECTED, Verdict.THROTTLED)]

    assert await with_adapter(playing).send(BATCH) == playing.outcomes


async def test_provider_that_is_down(playing: Playing) -> None:
    """Nothing left: everything is tried again, at the provider's own time, and no recipient is charged."""
    playing.error = ProviderDown("not_bound", retry_after=7)
    outcomes = await with_adapter(playing).send(BATCH)

    assert outcomes == [Outcome(verdict=Verdict.RETRY, reason="not_bound", scope=Scope.PROVIDER, retry_after=7)] * 3


def hindered(hindrance: Callable[[], str]) -> list[Item]:
    """Return the batch with something that may hinder it."""
    return [replace(item, hindrance=hindrance) for item in BATCH]


async def test_only_what_is_hindered_stays(playing: Playing) -> None:
    """Chunks of two alerts share a batch, and one of them is cancelled: the other one's people are told."""
    playing.outcomes = [Outcome(verdict=Verdict.DELIVERED)] * 2
    batch = [*BATCH[:1], *hindered(lambda: "stopped")[1:2], *BATCH[2:]]
    outcomes = await with_adapter(playing).send(batch)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED, Verdict.RETRY, Verdict.DELIVERED]


async def test_what_may_not_go_any_more_does_not_leave(playing: Playing) -> None:
    """An alert that ended or was stopped while its batch waited for a place is not handed over, and charges nobody."""
    playing.error = AssertionError("it left")
    outcomes = await with_adapter(playing).send(hindered(lambda: "alert_expired"))

    assert outcomes == [Outcome(verdict=Verdict.RETRY, reason="alert_expired", scope=Scope.PROVIDER)] * 3


async def test_hindrance_is_asked_when_it_is_the_batchs_turn(playing: Playing) -> None:
    """A cancel that comes while a full channel keeps a batch waiting still stops it."""
    channel = with_adapter(playing)
    full = [make_item(n) for n in range(channel.descriptor.max_batch)]
    playing.outcomes = [Outcome(verdict=Verdict.ACCEPTED)] * len(full)
    playing.sleeps, cancelled = 0.05, False
    async with asyncio.TaskGroup() as tasks:
        for _ in range(channel.descriptor.max_in_flight // len(full)):
            tasks.create_task(channel.send(full))
        await asyncio.sleep(0)
        late = tasks.create_task(channel.send(hindered(lambda: "stopped" if cancelled else "")))
        await asyncio.sleep(0)
        cancelled = True

    assert {outcome.reason for outcome in late.result()} == {"stopped"}


class Streaming(Playing):
    """An adapter that tells all outcomes but the last at once."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = asyncio.Event()

    async def stream(self, batch: Batch, heard: Callable[[Outcome], None]) -> Sequence[Outcome]:
        outcomes = [Outcome(verdict=Verdict.DELIVERED)] * len(batch)
        for outcome in outcomes[:-1]:
            heard(outcome)
        await self.hangs.wait()
        return outcomes


async def test_one_who_hangs_holds_only_his_own_place() -> None:
    """Eight batches with one silent recipient each are not a full channel: the next batch goes out at once."""
    adapter = Streaming()
    channel = with_adapter(adapter)
    full = [make_item(n) for n in range(channel.descriptor.max_batch)]
    async with asyncio.TaskGroup() as tasks:
        for _ in range(channel.descriptor.max_in_flight // len(full)):
            tasks.create_task(channel.send(full))
        await asyncio.sleep(0)
        channel.clock.advance(60)  # type: ignore[attr-defined]
        admitted = channel.admits()
        asked = asyncio.Event()

        def hindrance() -> str:
            asked.set()
            return ""

        tasks.create_task(channel.send(hindered(hindrance)))
        async with asyncio.timeout(5):
            await asked.wait()
        adapter.hangs.set()

    assert admitted > 0
    assert channel._in_flight._free == channel.descriptor.max_in_flight


async def test_silent_provider_is_unknown(playing: Playing) -> None:
    """After the time-out the bytes may have left: never a blind retry."""
    playing.sleeps = 5
    outcomes = await with_adapter(playing, timeout=0.02).send(BATCH)

    assert outcomes == [Outcome(verdict=Verdict.UNKNOWN, reason="timeout", scope=Scope.PROVIDER)] * 3


@pytest.mark.parametrize("count", [0, 2, 4])
async def test_wrong_number_of_outcomes_is_unknown(playing: Playing, count: int) -> None:
    """An adapter that loses count is not believed about anybody."""
    playing.outcomes = [Outcome(verdict=Verdict.DELIVERED)] * count
    outcomes = await with_adapter(playing).send(BATCH)

    assert outcomes == [Outcome(verdict=Verdict.UNKNOWN, reason="adapter_bug", scope=Scope.MESSAGE)] * 3


async def test_defect_of_an_adapter_is_unknown(playing: Playing) -> None:
    """An exception that the contract does not know ends in doubt, not in a stopped lane."""
    playing.error = ZeroDivisionError()
    channel = with_adapter(playing)
    outcomes = await channel.send(BATCH)

    assert {o.reason for o in outcomes} == {"adapter_bug"}
    assert channel.state()["error"] == "adapter_bug"


async def test_operator_sees_the_last_fault(playing: Playing) -> None:
    """The status page names the last fault of the channel itself, not of single recipients."""
    channel = with_adapter(playing)
    playing.outcomes = [
        Outcome(verdict=Verdict.RETRY, reason="queue_full", scope=Scope.PROVIDER, detail="0x14"),
        Outcome(verdict=Verdict.REJECTED, reason="bad_address"),
        Outcome(verdict=Verdict.DELIVERED),
    ]
    await channel.send(BATCH)

    assert channel.state() == {
        "kind": "sms",
        "per_second": 0.3,
        "total": 3,
        "open": False,
        "error": "queue_full 0x14",
        "error_at": START.timestamp(),
    }


def test_rate_is_the_mean_of_ten_seconds() -> None:
    """Older seconds do not count, and what was sent in all still does."""
    tally = Tally()
    for second in range(100, 130):
        tally.add(4, second=second)
        tally.add(6, second=second)

    assert tally.per_second(second=129) == 10
    assert tally.per_second(second=134) == 5
    assert tally.per_second(second=200) == 0
    assert tally.total == 300


def test_unknown_adapter_names_the_known() -> None:
    """A mistyped adapter is refused with the list of those that are installed."""
    with pytest.raises(ConfigError, match=r"consol.*console.*smtp"):
        adapter_class("consol")


def test_wrong_setting_is_named() -> None:
    """A wrong setting is refused with its full name."""
    with pytest.raises(ConfigError, match=r"^channels\.backup\.settings\.kind: "):
        describe("backup", Channel(adapter="console", settings={"kind": "pigeon"}))


def test_descriptor_follows_the_settings() -> None:
    """A console that stands in for e-mail is a channel of that kind."""
    _, _, descriptor = describe("mail", Channel(adapter="console", settings={"kind": "email", "idempotent": False}))

    assert (descriptor.kind, descriptor.idempotent) == (Kind.EMAIL, False)


def test_people_can_answer_only_where_it_is_said() -> None:
    """A reply needs an adapter that hears it and a source address that can be answered."""
    hears, deaf = (Descriptor(name="x", kind=Kind.SMS, two_way=t) for t in (True, False))
    says = Channel(adapter="smpp", settings={"two_way": True})

    assert is_two_way(says, hears)
    assert not is_two_way(says, deaf)
    assert not is_two_way(Channel(adapter="smpp"), hears)


def test_route_of_a_channel() -> None:
    """Routing sees what the operator wrote."""
    channel = Channel(adapter="console", order=3, lanes=("drill",), match=("+77",), settings={"kind": "sms"})

    assert opened(channel, name="drills").route == Route(
        name="drills", kind=Kind.SMS, order=3, live=False, drill=True, match=("+77",)
    )


@pytest.mark.parametrize(("kind", "seconds"), [("sms", 3600), ("email", 900), ("webhook", 60)])
def test_receipt_deadlines(kind: str, seconds: float) -> None:
    """Each kind has its own deadline; the operator's word is stronger."""
    assert opened(Channel(adapter="console", settings={"kind": kind})).receipt_deadline == seconds
    assert opened(Channel(adapter="console", receipt_deadline=5, settings={"kind": kind})).receipt_deadline == 5


async def test_closing_goes_on() -> None:
    """Every channel is closed, the last first, whatever one of them does."""
    channels = {name: opened(name=name) for name in ("a", "b", "c")}
    closed: list[str] = []

    class Noted(Playing):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        async def close(self, *, deadline: float) -> None:
            closed.append(self.name)
            if self.name == "b":
                raise OSError("gone")

    for name, channel in channels.items():
        channel.adapter = Noted(name)
    await Channels(channels).close(deadline=1)

    assert closed == ["c", "b", "a"]
