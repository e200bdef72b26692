"""The conformance kit for adapters: subclass :class:`AdapterContract` and supply the provider's side.

::

    class MyGateway(Provider):
        settings = {"host": "127.0.0.1", "port": 2775}
        async def make(self, trouble, *, only=""): ...

    class TestMine(AdapterContract):
        adapter = MyAdapter

        @pytest.fixture
        async def provider(self):
            async with running_gateway() as gateway:
                yield MyGateway(gateway)

What the provider cannot be made to do is skipped with a word.  Needs pytest and pytest-asyncio.
"""
# ruff: noqa: S101 — this file is made of tests

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
import structlog
from pydantic import BaseModel, ValidationError
from structlog.testing import LogCapture

from relay.adapter import (
    API_VERSION,
    Adapter,
    Batch,
    Describes,
    Descriptor,
    Item,
    Kind,
    Outcome,
    Scope,
    Services,
    Streams,
    Verdict,
)
from relay.errors import ProviderDown
from relay.testing.items import TEXTS, make_item
from relay.testing.provider import Provider, Trouble

_BOUND = 30.0  # seconds; nothing in the kit may take longer
_TOOK = {Verdict.ACCEPTED, Verdict.DELIVERED}


class AdapterContract:
    """What every adapter promises.  Subclasses set ``adapter`` and supply the fixture ``provider``."""

    adapter: ClassVar[type[Any]]
    pytestmark = pytest.mark.asyncio

    def describe(self, provider: Provider) -> Descriptor:
        """Return the descriptor that holds for the provider's settings."""
        described: Descriptor = self.adapter.descriptor
        if issubclass(self.adapter, Describes):
            return self.adapter.describe(self.read(provider))
        return described

    def read(self, provider: Provider) -> BaseModel:
        """Return the settings, checked."""
        settings: BaseModel = self.adapter.descriptor.settings.model_validate(dict(provider.settings))
        return settings

    @asynccontextmanager
    async def opened(self, provider: Provider, log: object = None) -> AsyncIterator[Adapter]:
        """Open an adapter on ``provider`` and close it after use."""
        log = log if log is not None else structlog.wrap_logger(None, processors=[LogCapture()])
        services = Services(channel="contract", log=log, egress=provider.guard, public_host="relay.example")
        adapter: Adapter = self.adapter(self.read(provider), services)
        async with asyncio.timeout(_BOUND):
            await adapter.open()
            try:
                yield adapter
            finally:
                await adapter.close(deadline=2.0)

    def items(self, provider: Provider, count: int, *, first: int = 0, text: str = TEXTS["en"]) -> list[Item]:
        """Return ``count`` different deliveries to different addresses; each text is different too."""
        kind = self.describe(provider).kind
        return [
            make_item(number, kind=kind, address=provider.address(number), secret=provider.secret, text=text)
            for number in range(first, first + count)
        ]

    async def _in_trouble(self, provider: Provider, trouble: Trouble, *, only: str = "") -> None:
        try:
            await provider.make(trouble, only=only)
        except NotImplementedError:
            pytest.skip(f"this provider cannot be made to {trouble}")

    async def test_descriptor_is_sane(self, provider: Provider) -> None:
        """The core can plan with what the adapter says of itself."""
        descriptor = self.describe(provider)

        assert descriptor.name
        assert descriptor.name == descriptor.name.lower()
        assert descriptor.api == API_VERSION
        assert isinstance(descriptor.kind, Kind)
        assert 1 <= descriptor.max_batch <= 256
        assert descriptor.max_in_flight >= 1

    async def test_unknown_settings_are_refused(self, provider: Provider) -> None:
        """A mistyped setting is an error, not silently ignored."""
        with pytest.raises(ValidationError):
            self.adapter.descriptor.settings.model_validate({**provider.settings, "no_such_setting": 1})

    async def test_opens_and_closes_twice(self, provider: Provider) -> None:
        """Opening and closing again is harmless."""
        async with self.opened(provider) as adapter:
            await adapter.open()
            await adapter.close(deadline=1.0)
            await adapter.close(deadline=1.0)

    async def test_opens_while_the_provider_is_down(self, provider: Provider) -> None:
        """A relay that starts before its provider still starts."""
        await self._in_trouble(provider, Trouble.DOWN)
        async with self.opened(provider):
            pass

    async def test_empty_batch(self, provider: Provider) -> None:
        """No items, no outcomes."""
        async with self.opened(provider) as adapter:
            assert list(await adapter.send([])) == []

    @pytest.mark.parametrize("size", ["one", "two", "seven", "all"])
    async def test_one_outcome_per_item(self, provider: Provider, size: str) -> None:
        """A batch of any size up to max_batch is taken whole: an outcome for each item, each text arrives once."""
        largest = self.describe(provider).max_batch
        count = min({"one": 1, "two": 2, "seven": 7, "all": largest}[size], largest)
        batch = self.items(provider, count)
        async with self.opened(provider) as adapter:
            outcomes = await adapter.send(batch)

        assert [o.verdict in _TOOK for o in outcomes] == [True] * count, outcomes
        assert sorted(provider.texts()) == sorted(item.text for item in batch)

    async def test_streamed_outcomes_are_the_same(self, provider: Provider) -> None:
        """An adapter that tells outcomes early tells each of them, once."""
        batch = self.items(provider, min(5, self.describe(provider).max_batch))
        await self._in_trouble(provider, Trouble.REFUSES, only=batch[0].address)
        heard: list[Outcome] = []
        async with self.opened(provider) as adapter:
            if not isinstance(adapter, Streams):
                return  # most adapters tell their outcomes together
            outcomes = await adapter.stream(batch, heard.append)

        assert sorted(heard, key=repr) == sorted(outcomes, key=repr)
        assert len(outcomes) == len(batch)

    async def test_outcomes_keep_the_order(self, provider: Provider) -> None:
        """The outcome of a refused item stands where the item stood."""
        batch = self.items(provider, min(5, self.describe(provider).max_batch))
        refused = len(batch) // 2
        await self._in_trouble(provider, Trouble.REFUSES, only=batch[refused].address)
        async with self.opened(provider) as adapter:
            outcomes = await adapter.send(batch)

        assert [o.verdict in _TOOK for o in outcomes] == [number != refused for number in range(len(batch))], outcomes

    @pytest.mark.parametrize("language", sorted(TEXTS))
    async def test_text_arrives_unchanged(self, provider: Provider, language: str) -> None:
        """Every letter of every language arrives as it was written."""
        batch = self.items(provider, 1, text=TEXTS[language])
        async with self.opened(provider) as adapter:
            await adapter.send(batch)

        assert list(provider.texts()) == [batch[0].text]

    async def test_unreachable_provider_costs_nothing(self, provider: Provider) -> None:
        """What certainly did not leave is tried again; it is never called sent, unknown or refused."""
        await self._in_trouble(provider, Trouble.DOWN)
        outcomes = await self._outcomes(provider)

        assert {o.verdict for o in outcomes} == {Verdict.RETRY}, outcomes
        assert all(o.reason for o in outcomes)

    async def test_refusal_is_final(self, provider: Provider) -> None:
        """A refusal for good is about this recipient or message, has a reason and is not tried again."""
        await self._in_trouble(provider, Trouble.REFUSES)
        outcomes = await self._outcomes(provider)

        assert {o.verdict for o in outcomes} <= {Verdict.REJECTED, Verdict.OPTED_OUT}, outcomes
        assert all(o.reason and o.scope in {Scope.RECIPIENT, Scope.MESSAGE} for o in outcomes)

    async def test_silence_after_the_message_is_unknown(self, provider: Provider) -> None:
        """A provider that took the bytes and never answers may have sent them: no blind retry."""
        await self._in_trouble(provider, Trouble.HANGS)
        outcomes = await self._outcomes(provider)

        assert {o.verdict for o in outcomes} == {Verdict.UNKNOWN}, outcomes

    async def test_cut_after_the_message_is_unknown(self, provider: Provider) -> None:
        """A connection that is cut after the bytes left leaves it open whether they were taken."""
        await self._in_trouble(provider, Trouble.RESETS)
        outcomes = await self._outcomes(provider)

        assert {o.verdict for o in outcomes} == {Verdict.UNKNOWN}, outcomes

    async def test_asking_to_slow_down_is_heard(self, provider: Provider) -> None:
        """A provider that asks for patience gets it, and the recipient is not charged for good."""
        await self._in_trouble(provider, Trouble.SLOW_DOWN)
        outcomes = await self._outcomes(provider)

        assert {o.verdict for o in outcomes} <= {Verdict.THROTTLED, Verdict.RETRY}, outcomes
        assert all(o.retry_after is None or o.retry_after > 0 for o in outcomes)

    async def test_concurrent_sends(self, provider: Provider) -> None:
        """Several batches at once do not mix: each item is answered, each text arrives once."""
        size = min(8, self.describe(provider).max_batch)
        batches = [self.items(provider, size, first=size * number) for number in range(4)]
        async with self.opened(provider) as adapter, asyncio.TaskGroup() as tasks:
            sends = [tasks.create_task(_send(adapter, batch)) for batch in batches]

        assert all(o.verdict in _TOOK for send in sends for o in send.result())
        assert sorted(provider.texts()) == sorted(item.text for batch in batches for item in batch)

    async def test_close_waits_for_what_is_in_flight(self, provider: Provider) -> None:
        """Closing while a batch is under way still yields an outcome for each of its items."""
        batch = self.items(provider, min(8, self.describe(provider).max_batch))
        async with self.opened(provider) as adapter, asyncio.TaskGroup() as tasks:
            send = tasks.create_task(_send(adapter, batch))
            await asyncio.sleep(0)
            await adapter.close(deadline=5.0)

        outcomes = send.result()

        assert len(outcomes) == len(batch)
        assert sum(o.verdict in _TOOK for o in outcomes) <= len(provider.texts())

    async def test_close_keeps_its_deadline(self, provider: Provider) -> None:
        """A provider that hangs does not hold the shutdown."""
        await self._in_trouble(provider, Trouble.HANGS)
        loop = asyncio.get_running_loop()
        async with self.opened(provider) as adapter, asyncio.TaskGroup() as tasks:
            tasks.create_task(_send(adapter, self.items(provider, 1)))
            await asyncio.sleep(0.05)
            started = loop.time()
            await adapter.close(deadline=0.2)
            took = loop.time() - started

        assert took < 1.0

    @pytest.mark.parametrize("trouble", [None, *Trouble])
    async def test_logs_hold_nothing_private(
        self, provider: Provider, trouble: Trouble | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        """No address, text or secret reaches a log or an outcome's detail, in good times or bad."""
        if trouble is not None:
            await self._in_trouble(provider, trouble)
        capture = LogCapture()
        batch = self.items(provider, min(2, self.describe(provider).max_batch))
        with caplog.at_level("DEBUG"):
            async with self.opened(provider, structlog.wrap_logger(None, processors=[capture])) as adapter:
                outcomes = await _send(adapter, batch)
        logged = [
            *map(str, capture.entries),
            *(r.getMessage() for r in caplog.records if r.name not in provider.loggers),
        ]
        said = "\n".join([*logged, *(f"{o.reason} {o.detail}" for o in outcomes)])

        assert [word for word in _private_words(provider, batch) if word in said] == []
        assert all(len(o.detail) <= 256 for o in outcomes)

    async def _outcomes(self, provider: Provider) -> Sequence[Outcome]:
        batch = self.items(provider, min(3, self.describe(provider).max_batch))
        async with self.opened(provider) as adapter:
            outcomes = await _send(adapter, batch)

        assert len(outcomes) == len(batch)
        return outcomes


async def _send(adapter: Adapter, batch: Batch) -> Sequence[Outcome]:
    """Send as the core does: ProviderDown for the whole batch is a retry of each item."""
    try:
        return await adapter.send(batch)
    except ProviderDown as error:
        return [Outcome(verdict=Verdict.RETRY, reason=error.reason, scope=Scope.PROVIDER)] * len(batch)


def _private_words(provider: Provider, batch: Iterable[Item]) -> list[str]:
    words = [word for item in batch for word in (item.address, item.text) if word]
    return [*words, *provider.private, *([provider.secret] if provider.secret else [])]
