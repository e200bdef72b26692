"""Open channels: adapters found by entry point, bounded calls, and what the operator wants to know of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from relay.adapter import (
    API_VERSION,
    Adapter,
    Batch,
    Descriptor,
    EgressGuard,
    Outcome,
    Probes,
    Scope,
    Services,
    Streams,
    Verdict,
)
from relay.clock import Clock
from relay.errors import ConfigError, ProviderDown
from relay.fanout.breaker import Breaker
from relay.fanout.in_flight import InFlight, Places, hindrances
from relay.fanout.routes import Route, Routes
from relay.fanout.tally import Tally
from relay.settings import Channel as ChannelSettings

log = structlog.get_logger()

GROUP = "chapar.adapters"

#: Default receipt deadlines in seconds (design §18).
_DEADLINES = {"sms": 3600.0, "email": 900.0, "webhook": 60.0}

#: About one message, not about the provider: what one text makes an adapter stumble over must not keep others back.
_BUG = Outcome(verdict=Verdict.UNKNOWN, reason="adapter_bug", scope=Scope.MESSAGE)


def adapter_class(name: str) -> type[Adapter]:
    """Return the adapter class of an entry point.

    Raises:
        ConfigError: there is none of that name, or it is made for another version of the contract.
    """
    found = entry_points(group=GROUP)
    if name not in found.names:
        raise ConfigError(f"no adapter is called {name!r}; installed are: {', '.join(sorted(found.names))}")
    loaded: type[Adapter] = found[name].load()
    if loaded.descriptor.api != API_VERSION:
        raise ConfigError(
            f"adapter {name!r} is made for contract {loaded.descriptor.api}, this relay has {API_VERSION}"
        )
    return loaded


def describe(name: str, channel: ChannelSettings) -> tuple[type[Adapter], BaseModel, Descriptor]:
    """Return the class, the checked settings and the descriptor of a configured channel.

    Raises:
        ConfigError: the settings do not fit.
    """
    cls = adapter_class(channel.adapter)
    try:
        settings = cls.descriptor.settings.model_validate(channel.settings)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"channels.{name}.settings.{where}: {first['msg']}") from error
    special = getattr(cls, "describe", None)  # see relay.adapter.Describes
    descriptor: Descriptor = special(settings) if special is not None else cls.descriptor
    return cls, settings, descriptor


def is_two_way(channel: ChannelSettings, descriptor: Descriptor) -> bool:
    """Whether people can answer: the adapter hears replies, and the source address can be answered."""
    return descriptor.two_way and bool(channel.settings.get("two_way", False))


class OpenChannel:
    """One configured adapter, open in this process."""

    def __init__(
        self, name: str, settings: ChannelSettings, services: Services, *, clock: Clock, timeout: float
    ) -> None:
        cls, own, self.descriptor = describe(name, settings)
        self.name = name
        self.settings = settings
        self.adapter: Adapter = cls(own, services)
        self.two_way = is_two_way(settings, self.descriptor)
        self.index = 0
        self.tally = Tally()
        self.breaker = Breaker(most=self.descriptor.max_in_flight)
        self.clock = clock
        self._timeout = timeout
        self._in_flight = InFlight(self.descriptor.max_in_flight)

    @property
    def hears(self) -> bool:
        """Whether the adapter yields receipts or replies."""
        return self.descriptor.receipts or self.descriptor.two_way

    @property
    def route(self) -> Route:
        """What routing needs to know."""
        lanes = self.settings.lanes
        return Route(
            name=self.name,
            kind=self.descriptor.kind,
            order=self.settings.order,
            live="live" in lanes,
            drill="drill" in lanes,
            match=self.settings.match,
        )

    @property
    def receipt_deadline(self) -> float:
        """Seconds after which ``accepted`` ends as ``delivered_unconfirmed``."""
        return self.settings.receipt_deadline or _DEADLINES[self.descriptor.kind]

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Hand over ``batch``; always one outcome per item, whatever the adapter does.

        Each ``hindrance`` is asked when it is this batch's turn: an item with a reason is not handed over any more.
        """
        places = await self._in_flight.enter(len(batch))
        try:
            reasons = hindrances(batch)
            leaving = [item for item, reason in zip(batch, reasons, strict=True) if not reason]
            if not leaving:
                self.breaker.end(0, (), now=self.clock.monotonic())
            sent = iter(await self._send(leaving, places) if leaving else ())
            return [Outcome.hindered(reason) if reason else next(sent) for reason in reasons]
        finally:
            places.free_all()

    def admits(self) -> int:
        """Return how many deliveries the breaker lets start now."""
        return self.breaker.admits(self.clock.monotonic())

    @property
    def slow(self) -> bool:
        """Whether urgent news had better go through another channel."""
        return self.breaker.slow(self.clock.monotonic())

    @property
    def wait(self) -> float:
        """The seconds after which a channel that admits nothing may do so again."""
        return self.breaker.wait(self.clock.monotonic())

    def probing(self) -> None:
        """Take note that what was admitted is about to start."""
        self.breaker.probing(self.clock.monotonic())

    async def probe(self) -> None:
        """Ask the provider of an open breaker whether it is back, if its adapter can be asked."""
        if not isinstance(self.adapter, Probes) or not self.breaker.due(self.clock.monotonic()):
            return
        self.probing()
        try:
            async with asyncio.timeout(self._timeout):
                down = await self.adapter.health()
        except (OSError, TimeoutError) as error:
            down = type(error).__name__
        except Exception:  # the plug-in boundary: whatever went wrong, the provider did not answer
            log.exception("adapter_bug", channel=self.name)
            down = "adapter_bug"
        if down:
            self.breaker.still_down(self.clock.monotonic())
        else:
            self.breaker.works()
            log.info("provider_is_back", channel=self.name)

    async def _send(self, batch: Batch, places: Places) -> Sequence[Outcome]:
        ticket = self.breaker.begin(len(batch), now=self.clock.monotonic())
        outcomes: Sequence[Outcome] = ()

        def heard(_: Outcome) -> None:
            places.free_one()
            self.breaker.answered(ticket)

        try:
            outcomes = await self._answers(batch, heard)
        finally:
            was_open = self.breaker.is_open
            self.breaker.end(ticket, outcomes, now=self.clock.monotonic())
            if self.breaker.is_open is not was_open:
                log.warning("breaker", channel=self.name, open=self.breaker.is_open, error=self.tally.error)
        return outcomes

    async def _answers(self, batch: Batch, heard: Callable[[Outcome], None]) -> Sequence[Outcome]:
        try:
            async with asyncio.timeout(self._timeout):
                adapter = self.adapter
                outcomes = await (adapter.stream(batch, heard) if isinstance(adapter, Streams) else adapter.send(batch))
        except ProviderDown as error:
            down = Outcome(
                verdict=Verdict.RETRY, reason=error.reason, scope=Scope.PROVIDER, retry_after=error.retry_after
            )
            outcomes = [down] * len(batch)
        except TimeoutError:
            # The bytes may have left: the policy for doubt decides.
            outcomes = [Outcome(verdict=Verdict.UNKNOWN, reason="timeout", scope=Scope.PROVIDER)] * len(batch)
        except Exception:  # the plug-in boundary: what it does not know it calls unknown
            log.exception("adapter_bug", channel=self.name)
            outcomes = [_BUG] * len(batch)
        if len(outcomes) != len(batch):
            log.error("adapter_bug", channel=self.name, outcomes=len(outcomes), items=len(batch))
            outcomes = [_BUG] * len(batch)
        self._count(outcomes)
        return outcomes

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        self.tally.add(len(outcomes), second=int(self.clock.monotonic()))
        for outcome in outcomes:
            if outcome.verdict not in (Verdict.ACCEPTED, Verdict.DELIVERED) and outcome.scope is not Scope.RECIPIENT:
                self.tally.error = f"{outcome.reason} {outcome.detail}".strip()[:200]
                self.tally.error_at = self.clock.time()

    def state(self) -> dict[str, Any]:
        """Return what a heartbeat says of this channel."""
        second = int(self.clock.monotonic())
        return {
            "kind": str(self.descriptor.kind),
            "per_second": round(self.tally.per_second(second=second), 1),
            "total": self.tally.total,
            "open": self.breaker.is_open,
            "error": self.tally.error,
            "error_at": self.tally.error_at,
        }


class Channels:
    """All channels of this process."""

    def __init__(self, channels: Mapping[str, OpenChannel]) -> None:
        self._by_name = dict(channels)
        self.routes = Routes([channel.route for channel in channels.values()])

    @classmethod
    def configured(
        cls,
        configured: Mapping[str, ChannelSettings],
        *,
        egress: EgressGuard,
        public_host: str,
        clock: Clock,
        timeout: float,
        base: Path,
    ) -> Channels:
        """Construct every configured channel.

        Raises:
            ConfigError: one of them cannot be used as configured.
        """
        return cls(
            {
                name: OpenChannel(
                    name,
                    settings,
                    Services(
                        channel=name,
                        log=log.bind(channel=name),
                        egress=egress,
                        public_host=public_host,
                        clock=clock,
                        extra={"data_dir": str(base)},
                    ),
                    clock=clock,
                    timeout=timeout,
                )
                for name, settings in configured.items()
            }
        )

    def __getitem__(self, name: str) -> OpenChannel:
        return self._by_name[name]

    def __iter__(self) -> Any:  # noqa: ANN401 -- an iterator of OpenChannel
        return iter(self._by_name.values())

    async def open(self) -> None:
        """Open every adapter, in the order of their names."""
        for channel in self._by_name.values():
            await channel.adapter.open()

    async def close(self, *, deadline: float) -> None:
        """Close every adapter in reverse order; none is allowed to stop the next."""
        for channel in reversed(self._by_name.values()):
            try:
                async with asyncio.timeout(deadline + 1):
                    await channel.adapter.close(deadline=deadline)
            except Exception:  # closing goes on whatever an adapter does
                log.exception("close_failed", channel=channel.name)
