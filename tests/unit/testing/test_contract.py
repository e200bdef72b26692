"""The contract kit finds adapters that lie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, cast

import pytest
import structlog
from pydantic import BaseModel

from relay.adapter import Batch, Descriptor, Kind, NoSettings, Outcome, Services, Verdict
from relay.testing.contract import AdapterContract
from relay.testing.provider import Provider, Trouble

TAKEN: list[str] = []


class Memory(Provider):
    """A provider that takes everything into a list, and any trouble for an answer."""

    def __init__(self) -> None:
        self.settings = {}
        TAKEN.clear()

    def address(self, number: int) -> str:
        return f"+7701000{number:04d}"

    def texts(self) -> Sequence[str]:
        return TAKEN

    async def make(self, trouble: Trouble, *, only: str = "") -> None:
        """Anything."""


class Honest:
    """An adapter that does its work."""

    descriptor: ClassVar[Descriptor] = Descriptor(name="honest", kind=Kind.SMS)

    def __init__(self, settings: BaseModel, services: Services) -> None:
        self.log = cast("structlog.stdlib.BoundLogger", services.log)

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self, *, deadline: float) -> None:
        """Nothing to do."""

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Take it all."""
        TAKEN.extend(item.text for item in batch)
        return [Outcome(verdict=Verdict.ACCEPTED)] * len(batch)


class Loose(BaseModel):
    """Settings that swallow what they do not know."""


class Tolerant(Honest):
    descriptor = Descriptor(name="tolerant", kind=Kind.SMS, settings=Loose)


class Greedy(Honest):
    descriptor = Descriptor(name="greedy", kind=Kind.SMS, max_batch=1000)


class Forgetful(Honest):
    async def send(self, batch: Batch) -> Sequence[Outcome]:
        return (await super().send(batch))[:-1]


class Folding(Honest):
    async def send(self, batch: Batch) -> Sequence[Outcome]:
        TAKEN.extend(item.text.encode("ascii", "replace").decode() for item in batch)
        return [Outcome(verdict=Verdict.ACCEPTED)] * len(batch)


class Doubling(Honest):
    async def send(self, batch: Batch) -> Sequence[Outcome]:
        await super().send(batch)
        return await super().send(batch)


class Talkative(Honest):
    async def send(self, batch: Batch) -> Sequence[Outcome]:
        self.log.info("sent", to=batch[0].address)
        return await super().send(batch)


Test = Callable[[AdapterContract, Provider], Awaitable[None]]


def contract(adapter: type[Honest]) -> AdapterContract:
    """Return the kit for ``adapter``."""
    kit = AdapterContract()
    kit.adapter = adapter  # type: ignore[misc]
    return kit


async def run(name: str, adapter: type[Honest], *arguments: object) -> None:
    """Run one test of the kit."""
    await getattr(contract(adapter), name)(Memory(), *arguments)


@pytest.mark.parametrize(
    ("name", "liar", "arguments"),
    [
        ("test_descriptor_is_sane", Greedy, ()),
        ("test_unknown_settings_are_refused", Tolerant, ()),
        ("test_one_outcome_per_item", Forgetful, ("seven",)),
        ("test_one_outcome_per_item", Doubling, ("one",)),
        ("test_text_arrives_unchanged", Folding, ("kk",)),
        ("test_outcomes_keep_the_order", Honest, ()),
        ("test_unreachable_provider_costs_nothing", Honest, ()),
        ("test_refusal_is_final", Honest, ()),
        ("test_silence_after_the_message_is_unknown", Honest, ()),
        ("test_cut_after_the_message_is_unknown", Honest, ()),
        ("test_asking_to_slow_down_is_heard", Honest, ()),
        ("test_concurrent_sends", Doubling, ()),
        ("test_close_waits_for_what_is_in_flight", Forgetful, ()),
    ],
)
async def test_lies_are_found(name: str, liar: type[Honest], arguments: tuple[object, ...]) -> None:
    """An adapter that breaks a promise fails the test of that promise ("all taken" is a lie in any trouble)."""
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await run(name, liar, *arguments)


async def test_talk_about_people_is_found(caplog: pytest.LogCaptureFixture) -> None:
    """An address in a log is found."""
    with pytest.raises(AssertionError):
        await run("test_logs_hold_nothing_private", Talkative, None, caplog)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("test_descriptor_is_sane", ()),
        ("test_unknown_settings_are_refused", ()),
        ("test_opens_and_closes_twice", ()),
        ("test_empty_batch", ()),
        ("test_one_outcome_per_item", ("all",)),
        ("test_text_arrives_unchanged", ("fa",)),
        ("test_concurrent_sends", ()),
        ("test_close_waits_for_what_is_in_flight", ()),
    ],
)
async def test_honest_adapters_pass(name: str, arguments: tuple[object, ...]) -> None:
    """The kit does not cry wolf."""
    assert Honest.descriptor.settings is NoSettings
    await run(name, Honest, *arguments)
