"""One SMPP connection: its own window and sequence numbers, answers by sequence number, life signs both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from adapters.sms.codec import BodyError, CodecError, FrameError, Framer, decode
from adapters.sms.faults import BindRefused, HeldBack, Hindered, NotBound
from adapters.sms.outbox import Outbox
from adapters.sms.pdu import MAX_SEQUENCE, RESPONSE, Bind, Command, MessageId, Pdu, Raw, ShortMessage
from adapters.sms.status import (
    NOT_SENT,
    RINVBNDSTS,
    RINVCMDID,
    RINVCMDLEN,
    ROK,
    RX_P_APPN,
    Answer,
)
from adapters.sms.tcp import acknowledger, no_delay


class Log(Protocol):
    """The part of a structlog logger that is used here."""

    def info(self, event: str, **values: object) -> object: ...  # noqa: D102
    def warning(self, event: str, **values: object) -> object: ...  # noqa: D102


Deliver = Callable[[ShortMessage, Callable[[int], None]], None]


@dataclass(slots=True)
class _Waiting:
    """A request of ours that is not answered yet."""

    future: asyncio.Future[Answer]
    command: int
    sent: float
    slot: bool  # it holds a place in the window


class Session(asyncio.Protocol):
    """Speaks SMPP over one transport.

    ``deliver`` is called with every deliver_sm and a function that answers it with a status, now or later.
    ``closed`` is done when the connection is gone; its result says why.
    """

    def __init__(
        self, *, window: int, response_timeout: float, enquire_link: float, deliver: Deliver, log: Log
    ) -> None:
        self._response_timeout = response_timeout
        self._enquire_link = enquire_link
        self._deliver = deliver
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(window)
        self._framer = Framer()
        self._waiting: dict[int, _Waiting] = {}
        self._sequence = 0
        self._out = Outbox(lambda: self.abort("peer_reads_nothing"))
        self._transport: asyncio.Transport | None = None
        self._acknowledge: Callable[[], None] = lambda: None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._heard = 0.0
        self._why = ""
        self.bound = False
        self._throttled = float("-inf")
        self.closed: asyncio.Future[str] = self._loop.create_future()

    @property
    def in_flight(self) -> int:
        """Requests that wait for an answer."""
        return len(self._waiting)

    # -- what the adapter asks for ---------------------------------------------------------------------------------

    async def bind(self, body: Bind) -> None:
        """Bind as transceiver.

        Raises:
            BindRefused: the provider said no.
            NotBound: no answer came.
        """
        answer = await self._request(Command.BIND_TRANSCEIVER, body)
        if answer.lost:
            raise NotBound(f"no answer to the bind: {answer.lost}")
        if answer.status != ROK:
            raise BindRefused(answer.status)
        if not self.bound:
            raise NotBound("the connection was lost right after the bind")
        self._timers["idle"] = self._loop.call_later(self._enquire_link, self._look)

    async def probe(self) -> str:
        """Ask for a life sign; return an empty string when it came, else why not (at most the response time-out)."""
        if not self.bound:
            return "not bound"
        return (await self._request(Command.ENQUIRE_LINK, None)).lost  # any answer is one, a refusal too

    def held(self, pause: float) -> float:
        """Return the seconds that remain of a pause of ``pause`` after the provider's last wish to slow down."""
        return self._throttled + pause - self._loop.time()

    async def submit(
        self, message: ShortMessage | Raw, *, pause: float, hindrance: Callable[[], str] | None = None
    ) -> asyncio.Future[Answer]:
        """Wait for room in the window, hand ``message`` over and return the future of its answer.

        ``hindrance`` is asked when there is room: a reason means that it may not leave any more.

        Raises:
            Hindered: it may not; nothing left.
            NotBound: the connection is not bound; nothing left.
            HeldBack: the whole bind pauses for ``pause`` seconds after a throttling answer; nothing left.
            CodecError: the message does not fit SMPP.
        """
        await self._slots.acquire()
        try:
            self._check(pause, hindrance)
            return self._request(Command.SUBMIT_SM, message, slot=True)
        except (NotBound, HeldBack, Hindered, CodecError):
            self._slots.release()
            raise

    def _check(self, pause: float, hindrance: Callable[[], str] | None) -> None:
        if not self.bound:
            raise NotBound("not bound")
        if pause and (rest := self.held(pause)) > 0:
            raise HeldBack(rest)
        if hindrance is not None and (reason := hindrance()):
            raise Hindered(reason)

    async def unbind(self) -> None:
        """Say good-bye, wait for the answer at most the response time-out, and close."""
        if self.bound:
            self.bound = False
            await self._request(Command.UNBIND, None)
        self.abort("unbound", gently=True)
        await asyncio.shield(self.closed)

    def abort(self, why: str, *, gently: bool = False) -> None:
        """Let the connection go; ``gently`` sends what is written first."""
        self._why, self.bound = self._why or why, False
        if self._transport is None:
            return
        if gently:
            self._out.flush()
            self._transport.close()
        else:
            self._transport.abort()

    # -- asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; small PDUs must not wait for each other (TCP_NODELAY)."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._heard = self._loop.time()
        no_delay(self._transport)
        self._acknowledge = acknowledger(self._transport)
        self._out.connect(self._transport)

    def data_received(self, data: bytes) -> None:
        """Take what came, PDU by PDU."""
        self._heard = self._loop.time()
        try:
            for frame in self._framer.feed(data):
                self._take(frame)
            if self._waiting:
                self._acknowledge()
        except FrameError as error:
            self._log.warning("smpp_framing_lost", error=str(error))
            self._out.put(Pdu(Command.GENERIC_NACK, 0, status=RINVCMDLEN))
            self.abort("framing_lost", gently=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everyone who waits that no answer will come."""
        self.bound = False
        for timer in self._timers.values():
            timer.cancel()
        while self._waiting:
            self._settle(self._waiting.popitem()[1], Answer(lost="response_lost"))
        if not self.closed.done():
            self.closed.set_result(self._why or (type(exc).__name__ if exc else "closed_by_peer"))

    # -- what came -------------------------------------------------------------------------------------------------

    def _take(self, frame: bytes) -> None:
        try:
            pdu = decode(frame)
        except BodyError as error:
            self._log.warning("smpp_pdu_unreadable", command=error.command, error=str(error))
            if error.command & RESPONSE:
                # The status is readable: that counts; only the provider's id is missing.
                self._answered(Pdu(error.command, error.sequence, status=error.status))
            else:
                self._out.put(Pdu(Command.GENERIC_NACK, error.sequence, status=RINVCMDLEN))
            return
        if pdu.command & RESPONSE:
            self._answered(pdu)
        else:
            self._asked(pdu)

    def _answered(self, pdu: Pdu) -> None:
        one = self._waiting.get(pdu.sequence)
        if one is None or pdu.command not in (one.command | RESPONSE, Command.GENERIC_NACK):
            return  # answered too late, or to something that was not asked
        del self._waiting[pdu.sequence]
        if pdu.command == Command.BIND_TRANSCEIVER_RESP and pdu.status == ROK:
            self.bound = True  # now, not when the task wakes: a deliver_sm may follow in the same segment
        status = pdu.status
        if pdu.command == Command.GENERIC_NACK and status == ROK:
            status = RINVCMDID  # a nack without a reason is still a no
        message_id = pdu.body.value if isinstance(pdu.body, MessageId) else ""
        answer = Answer(status=status, message_id=message_id)
        if answer.throttled:
            self._throttled = self._loop.time()
        self._settle(one, answer)

    def _asked(self, pdu: Pdu) -> None:
        match pdu.command:
            case Command.ENQUIRE_LINK:
                self._out.put(Pdu(Command.ENQUIRE_LINK_RESP, pdu.sequence))
            case Command.UNBIND:
                self._out.put(Pdu(Command.UNBIND_RESP, pdu.sequence))
                self.abort("unbound_by_peer", gently=True)
            case Command.DELIVER_SM:
                self._delivered(pdu)
            case Command.ALERT_NOTIFICATION:
                pass  # has no response (§4.12)
            case _:
                self._out.put(Pdu(Command.GENERIC_NACK, pdu.sequence, status=RINVCMDID))

    def _delivered(self, pdu: Pdu) -> None:
        def respond(status: int) -> None:
            self._out.put(Pdu(Command.DELIVER_SM_RESP, pdu.sequence, MessageId(), status))

        if not isinstance(pdu.body, ShortMessage):  # decode gives nothing else for deliver_sm
            respond(RX_P_APPN)
        elif not self.bound:
            respond(RINVBNDSTS)
        else:
            self._deliver(pdu.body, respond)

    # -- requests, answers, time -----------------------------------------------------------------------------------

    def _request(
        self, command: Command, body: Bind | ShortMessage | Raw | None, *, slot: bool = False
    ) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = self._loop.create_future()
        if self._transport is None or self._transport.is_closing():
            if slot:
                self._slots.release()
            future.set_result(NOT_SENT)
            return future
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        self._out.put(Pdu(command, self._sequence, body))
        self._waiting[self._sequence] = _Waiting(future, command, self._loop.time(), slot)
        if "answers" not in self._timers:
            self._timers["answers"] = self._loop.call_later(self._response_timeout, self._sweep)
        return future

    def _settle(self, one: _Waiting, answer: Answer) -> None:
        if one.slot:
            self._slots.release()
        if not one.future.done():  # a cancelled send does not wait any more
            one.future.set_result(answer)

    def _sweep(self) -> None:
        """Give up on requests that waited too long; all of them when the peer has said nothing since."""
        del self._timers["answers"]
        now = self._loop.time()
        silent = False
        while self._waiting:
            sequence, oldest = next(iter(self._waiting.items()))
            if now < oldest.sent + self._response_timeout:
                self._timers["answers"] = self._loop.call_at(oldest.sent + self._response_timeout, self._sweep)
                break
            del self._waiting[sequence]
            self._settle(oldest, Answer(lost="timeout"))
            silent = silent or self._heard < oldest.sent
        if silent:
            self._log.warning("smpp_no_answer")
            self.abort("no_answer")

    def _look(self) -> None:
        """Ask for a life sign when nothing was heard for a while; the answer's time-out ends a dead connection."""
        if not self.bound:
            return
        silence = self._loop.time() - self._heard
        if silence >= self._enquire_link:
            self._request(Command.ENQUIRE_LINK, None)
            silence = 0.0
        self._timers["idle"] = self._loop.call_later(self._enquire_link - silence, self._look)
