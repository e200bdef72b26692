"""The ``smpp`` adapter: SMS to a provider's SMS centre over SMPP 3.4, with receipts and replies."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, cast

from pydantic import BaseModel

from adapters.sms.compose import BadNumber, Composer
from adapters.sms.faults import HeldBack, Hindered, NotBound
from adapters.sms.inbound import Reassembly
from adapters.sms.inbox import Inbox
from adapters.sms.link import Link
from adapters.sms.pdu import Raw, ShortMessage
from adapters.sms.receipt import is_receipt, receipt_of, submitted_id
from adapters.sms.segments import TooLong
from adapters.sms.session import Log, Session
from adapters.sms.settings import Settings
from adapters.sms.status import NOT_SENT, ROK, Answer, outcome_of
from relay.adapter import Batch, Descriptor, Event, Item, Kind, Outcome, Scope, Services, Verdict
from relay.errors import ProviderDown

_FIRST_BIND: Final = 1.0  # seconds that open() waits for the first bind, so that the first message finds it
_COMPLETIONS: Final = 5  # how often the throttled rest of a half-accepted message is offered again
_EVENTS: Final = 2_000  # events kept for the core, and as many more unanswered


@dataclass(slots=True)
class _Flight:
    """One item on its way: its parts, the answers to come, the answers so far."""

    parts: tuple[Raw, ...] = ()
    coming: list[Awaitable[Answer]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    outcome: Outcome | None = None
    hindrance: Callable[[], str] | None = None

    @property
    def not_sent(self) -> bool:
        """Whether certainly nothing of it left, for want of a connection."""
        return self.outcome is None and all(answer == NOT_SENT for answer in self.answers)

    @property
    def half(self) -> bool:
        """Whether some parts were taken and the provider asked to wait with others."""
        taken = any(answer.accepted for answer in self.answers)
        return taken and any(answer.throttled for answer in self.answers)


class Smpp:
    """One or more transceiver binds to one SMS centre, kept up; messages go out within each bind's window."""

    descriptor: ClassVar[Descriptor] = Descriptor(
        name="smpp", kind=Kind.SMS, settings=Settings, max_batch=64, receipts=True, two_way=True
    )

    def __init__(self, settings: BaseModel, services: Services) -> None:
        self._settings = cast("Settings", settings)
        self._log = cast("Log", services.log)
        self._composer = Composer(self._settings)
        self._inbox = Inbox(size=_EVENTS, unanswered=_EVENTS)
        self._replies = Reassembly()
        self._links: list[Link] = []
        self._runner: asyncio.Task[None] | None = None
        self._sending = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    @classmethod
    def describe(cls, settings: BaseModel) -> Descriptor:
        """Return the descriptor that holds for ``settings``: whether receipts are asked for, and replies possible."""
        known = cast("Settings", settings)
        in_flight = min(512, 4 * known.window * known.binds)
        return replace(
            cls.descriptor, receipts=known.registered_delivery, two_way=known.two_way, max_in_flight=in_flight
        )

    async def open(self) -> None:
        """Start to keep the binds up; waits a second for the first one and does not fail without it."""
        if self._runner is not None:
            return
        if self._closing:  # opened again after a close
            self._closing, self._inbox = False, Inbox(size=_EVENTS, unanswered=_EVENTS)
        self._links = [
            Link(self._settings, deliver=self._deliver, log=self._log, jitter=_jitter)
            for _ in range(self._settings.binds)
        ]
        # The one task that this adapter owns; close() ends it and waits for it.
        self._runner = asyncio.create_task(self._run(), name="smpp binds")  # noqa: TID251 - owned from open to close
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_BIND):
                await self._links[0].tried.wait()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number, link in enumerate(self._links):
                tasks.create_task(link.run(), name=f"smpp bind {number}")

    async def close(self, *, deadline: float) -> None:
        """Wait for the answers to what was sent, unbind, and end; all within ``deadline`` seconds."""
        self._closing = True
        sessions = [link.session for link in self._links if link.session is not None]
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await self._idle.wait()
                for session in sessions:
                    await session.unbind()
        for session in sessions:
            session.abort("closing")
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})
            if not self._runner.cancelled() and (error := self._runner.exception()):
                self._log.warning("smpp_binds_failed", error=type(error).__name__)
            self._runner = None
        self._inbox.close()

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Submit all parts of all items within the window and return what the provider said to each item.

        Raises:
            ProviderDown: no bind is up, nothing left; the reason is a stable code.
        """
        if batch and (self._closing or not self._bound()):
            raise self._down()
        self._sending += 1
        self._idle.clear()
        try:
            return await self._send(batch)
        finally:
            self._sending -= 1
            if not self._sending:
                self._idle.set()

    def events(self) -> AsyncIterator[Event]:
        """Yield receipts, one per part, and replies until the adapter is closed."""
        return self._inbox.events()

    async def health(self) -> str:
        """Return an empty string when a bind is up and the centre answers on it, else why not."""
        fault = ""
        for session in self._bound():
            fault = await session.probe()
            if not fault:
                return ""
        if fault:
            return f"no life sign from {self._settings.host}:{self._settings.port}: {fault}"
        fault = self._links[0].fault if self._links and not self._closing else "not open"
        return f"not bound to {self._settings.host}:{self._settings.port}: {fault}"

    # -- sending ---------------------------------------------------------------------------------------------------

    async def _send(self, batch: Batch) -> list[Outcome]:
        flights = [self._prepare(item) for item in batch]
        for flight in flights:
            if flight.outcome is None:
                await self._launch(flight)
        for flight in flights:
            flight.answers += [await answer for answer in flight.coming]
        await self._complete([flight for flight in flights if len(flight.parts) > 1 and flight.half])
        if flights and all(flight.not_sent for flight in flights):
            raise self._down()
        return [flight.outcome or self._outcome(flight.answers) for flight in flights]

    def _prepare(self, item: Item) -> _Flight:
        try:
            return _Flight(self._composer.bodies(item), hindrance=item.hindrance)
        except BadNumber:
            return _Flight(outcome=Outcome(verdict=Verdict.REJECTED, reason="invalid_number"))
        except TooLong:
            too_long = Outcome(verdict=Verdict.REJECTED, reason="message_too_long", scope=Scope.MESSAGE)
            return _Flight(outcome=too_long)

    async def _launch(self, flight: _Flight) -> None:
        """Submit the parts of one item, in order and on one bind; waits for room in the window."""
        session = self._pick()
        if session is None:
            flight.answers = [NOT_SENT] * len(flight.parts)
            return
        pause, hindrance = self._settings.throttle_pause, flight.hindrance
        try:
            for part in flight.parts:
                flight.coming.append(await self._submit(session, part, pause=pause, hindrance=hindrance))
                pause, hindrance = 0.0, None  # what is begun is finished: half a warning may be worse than none
        except Hindered as hindered:
            flight.outcome = Outcome.hindered(hindered.reason)
        except HeldBack as held:
            flight.outcome = Outcome(
                verdict=Verdict.THROTTLED, reason="held_back", scope=Scope.PROVIDER, retry_after=held.seconds
            )

    async def _submit(
        self, session: Session, part: Raw, *, pause: float, hindrance: Callable[[], str] | None = None
    ) -> Awaitable[Answer]:
        try:
            return await session.submit(part, pause=pause, hindrance=hindrance)
        except NotBound:
            gone: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            gone.set_result(NOT_SENT)
            return gone

    async def _complete(self, flights: Sequence[_Flight]) -> None:
        """Offer the throttled parts of half-accepted messages again, up to five times."""
        for _ in range(_COMPLETIONS):
            open_ = [flight for flight in flights if flight.half]
            session = self._pick()
            if not open_ or session is None:
                return
            await asyncio.sleep(max(session.held(self._settings.throttle_pause), 0.0))
            for flight in open_:
                flight.answers = [
                    await (await self._submit(session, part, pause=0.0)) if answer.throttled else answer
                    for part, answer in zip(flight.parts, flight.answers, strict=True)
                ]

    def _outcome(self, answers: Sequence[Answer]) -> Outcome:
        form = self._settings.receipt_ids
        if form != "same":
            answers = [
                Answer(status=one.status, message_id=submitted_id(one.message_id, ids=form), lost=one.lost)
                for one in answers
            ]
        return outcome_of(answers, retry_after=self._settings.throttle_pause)

    def _bound(self) -> list[Session]:
        return [link.session for link in self._links if link.session is not None and link.session.bound]

    def _pick(self) -> Session | None:
        """Return the bind to use next: one that is not held back, with the least in flight."""
        pause = self._settings.throttle_pause
        bound = self._bound()
        if len(bound) == 1:
            return bound[0]
        return min(bound, key=lambda session: (session.held(pause) > 0, session.in_flight), default=None)

    def _down(self) -> ProviderDown:
        if self._closing or not self._links:
            return ProviderDown("closed")
        link = self._links[0]
        return ProviderDown(link.reason or "not_bound", retry_after=link.retry_after or None)

    # -- hearing ---------------------------------------------------------------------------------------------------

    def _deliver(self, message: ShortMessage, ack: Callable[[int], None]) -> None:
        if is_receipt(message):
            receipt = receipt_of(message, ids=self._settings.receipt_ids)
            if receipt is None:
                self._log.warning("smpp_receipt_unreadable")  # it would be no better the next time
                ack(ROK)
            else:
                self._inbox.put((receipt,), ack)
            return
        events = self._replies.add(message, now=asyncio.get_running_loop().time())
        if events:
            self._inbox.put(events, ack)
        else:
            ack(ROK)


def _jitter() -> float:
    return random.uniform(-1, 1)  # noqa: S311 - spreads reconnects, guards nothing
