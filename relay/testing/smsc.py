"""A real SMS centre on loopback for tests and the demo: the foreign SMPP server ``smpp34`` behind a door of ours.

It needs the extra ``demo``.  It shows each message as the phone would, after putting its parts together.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from relay.testing.smsc_gate import Gate
from relay.testing.smsc_text import read_piece, show, write

if TYPE_CHECKING:
    import smpp34

ROK: Final = 0
RTHROTTLED: Final = 0x58
RINVDSTADR: Final = 0x0B
_TEMPORARY: Final = frozenset({0x14, 0x64})
_RECEIPT: Final = 0x04
_CONCATENATED: Final = 0x40
_MESSAGE_PAYLOAD: Final = 0x0424
_LAST_BREATH: Final = 0.05


class When(StrEnum):
    """When a receipt follows a message that asks for one."""

    EARLY = "before the response"
    PROMPT = "right after the response"
    LATE = "after a pause"
    NEVER = "never"


class Mood(StrEnum):
    """What the centre does with a message beyond its numbers' fate."""

    ANSWERS = "answers"
    HANGS = "takes it and never answers"
    CUTS = "takes it and cuts the connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One whole message as a phone shows it; ``number`` with ``+``, ``ids`` of its parts in order."""

    number: str
    sender: str
    text: str
    parts: int
    ids: tuple[str, ...]
    data_coding: int


@dataclass(slots=True)
class _Open:
    """A message of which parts are missing: text and id of those that came."""

    pieces: dict[int, tuple[str, str]] = field(default_factory=dict)


class Smsc:
    """One SMS centre with the account ``chapar``; :meth:`start` and :meth:`stop` it, or use it as a context manager.

    ``fate`` maps a number (or ``""`` for all) to the command_status that refuses it; ``script`` holds
    the command_status of the next submits in turn; ``silent`` are numbers for which no receipt is ever sent; ``stat``
    is the word in receipts; ``pause`` the seconds before a late one.  ``messages`` are whole and in order of
    completion, ``submits`` counts everything that came, ``unreadable`` holds what no phone could show.
    """

    def __init__(self, *, receipts: When = When.PROMPT, pause: float = 0.2, password: str = "secret") -> None:  # noqa: S107 - loopback
        self.receipts = receipts
        self.pause = pause
        self.password = password
        self.mood = Mood.ANSWERS
        self.fate: dict[str, int] = {}
        self.script: list[int] = []
        self.silent: set[str] = set()
        self.stat = "DELIVRD"
        self.messages: list[Message] = []
        self.unreadable: list[str] = []
        self.submits = 0
        self.receipts_taken = 0
        self.gate: Gate
        self._open: dict[tuple[str, int], _Open] = {}
        self._sessions: dict[str, smpp34.Esme] = {}
        self._unanswered: list[object] = []  # an event that is dropped would be answered with an error
        self._changed = asyncio.Event()
        self._bound = asyncio.Event()
        self._server: smpp34.Server
        self._runner: asyncio.Task[None] | None = None

    @property
    def settings(self) -> dict[str, object]:
        """The settings of an ``smpp`` channel that reaches this centre."""
        return {"host": "127.0.0.1", "port": self.gate.port, "system_id": "chapar", "password": self.password}

    async def start(self) -> Self:
        """Listen on a free port of loopback."""
        import smpp34

        behind = ("127.0.0.1", _free_port())
        self._server = smpp34.Server(*behind, system_id="test-smsc")
        await self._server.start()
        self.gate = Gate(accounts={"chapar": self.password}, behind=behind)
        await self.gate.open()
        self._runner = asyncio.create_task(self._run(), name="smsc")  # noqa: TID251 - owned from start to stop
        return self

    async def stop(self) -> None:
        """Reset all connections and end."""
        await self.gate.close()
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.wait({self._runner})
        await self._server.stop()
        # Its native threads put down what they hold of Python now; an interpreter that ends before that aborts.
        await asyncio.sleep(_LAST_BREATH)

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    async def until(self, count: int, *, seconds: float = 10.0) -> Sequence[Message]:
        """Wait until ``count`` whole messages have come and return all.

        Raises:
            TimeoutError: they did not come in time.
        """
        async with asyncio.timeout(seconds):
            while len(self.messages) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.messages

    async def reply(self, number: str, text: str, *, to: str = "", cut: int = 0) -> int:
        """Send ``text`` from the phone ``number`` to the relay and return the relay's command_status.

        ``cut`` above 0 sends it in parts of so many characters with a user data header.

        Raises:
            TimeoutError: no relay is bound within five seconds.
        """
        async with asyncio.timeout(5):
            await self._bound.wait()
        octets, coding = write(text)
        width = cut * (2 if coding == 8 else 1)
        pieces = [octets[at : at + width] for at in range(0, len(octets), width)] if cut else [octets]
        status = 0
        for at, piece in enumerate(pieces, start=1):
            header = bytes((5, 0, 3, len(text) & 255, len(pieces), at)) if cut else b""
            deliver = partial(
                _deliver_sm,
                source_addr=number.removeprefix("+"),
                destination_addr=to.removeprefix("+"),
                source_addr_ton=1,
                source_addr_npi=1,
                esm_class=_CONCATENATED if cut else 0,
                data_coding=coding,
                short_message=header + piece,
            )
            status = await self._deliver(deliver)
        return status

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        import smpp34

        async with asyncio.TaskGroup() as tasks:
            while True:
                event = await self._server.next()
                if isinstance(event, smpp34.Esme):
                    self._sessions[event.session_id] = event
                    self._bound.set()
                elif isinstance(event, smpp34.SubmitSmEvent):
                    self._submitted(event, tasks)
                else:
                    self._sessions.pop(event.session_id, None)

    def _submitted(self, event: smpp34.SubmitSmEvent, tasks: asyncio.TaskGroup) -> None:
        self.submits += 1
        number = f"+{event.destination_addr}"
        status = self.fate.get(number, self.fate.get("", 0))
        if self.script:
            status = self.script.pop(0)
        if status:
            event.reject(status)
            return
        message_id = f"{self.submits:08x}"
        self._record(event, number, message_id)
        if self.mood is not Mood.ANSWERS:
            self._unanswered.append(event)
            if self.mood is Mood.CUTS:
                self.gate.drop()
        elif self.receipts is When.NEVER or number in self.silent or not event.registered_delivery:
            event.accept(message_id)
        else:
            tasks.create_task(self._answer(event, message_id), name=f"receipt {message_id}")

    def _record(self, event: smpp34.SubmitSmEvent, number: str, message_id: str) -> None:
        try:
            long = next((tlv.value for tlv in event.tlvs if tlv.tag == _MESSAGE_PAYLOAD), None)
            piece = read_piece(event.short_message if long is None else long, event.esm_class)
            room = 140 - 6 * (piece.total > 1)
            text = show(piece.octets, event.data_coding, room=room if long is None else len(long))
        except (ValueError, IndexError, KeyError, StopIteration) as error:
            self.unreadable.append(f"{message_id}: {error}")
            return
        ids: tuple[str, ...] = (message_id,)
        if piece.total > 1:
            began = self._open.setdefault((number, piece.reference), _Open())
            began.pieces[piece.number] = (text, message_id)
            if len(began.pieces) < piece.total:
                return
            del self._open[number, piece.reference]
            whole = [began.pieces[at] for at in sorted(began.pieces)]
            text = "".join([one_text for one_text, _ in whole])
            ids = tuple([one_id for _, one_id in whole])
        message = Message(
            number=number,
            sender=event.source_addr,
            text=text,
            parts=piece.total,
            ids=ids,
            data_coding=event.data_coding,
        )
        self.messages.append(message)
        self._changed.set()

    async def _answer(self, event: smpp34.SubmitSmEvent, message_id: str) -> None:
        if self.receipts is When.EARLY:
            await self._receipt(event, message_id)
            event.accept(message_id)
            return
        event.accept(message_id)
        if self.receipts is When.LATE:
            await asyncio.sleep(self.pause)
        await self._receipt(event, message_id)

    async def _receipt(self, event: smpp34.SubmitSmEvent, message_id: str) -> None:
        dates = "submit date:2603010600 done date:2603010601"
        text = f"id:{message_id} sub:001 dlvrd:001 {dates} stat:{self.stat} err:000 text:"
        deliver = partial(
            _deliver_sm,
            source_addr=event.destination_addr,
            destination_addr=event.source_addr,
            esm_class=_RECEIPT,
            short_message=text.encode(),
        )
        try:
            status = await self._deliver(deliver, session_id=event.session_id)
        except LookupError:
            return  # nobody is bound: this centre forgets the receipt, as some do
        self.receipts_taken += status == 0

    async def _deliver(
        self, deliver: Callable[[smpp34.Esme], Coroutine[Any, Any, int]], *, session_id: str = ""
    ) -> int:
        """Deliver by the session given, else by any; ask again after a temporary error, at most ten times."""
        import smpp34

        status = 0
        for _ in range(10):
            session = self._sessions.get(session_id) or next(iter(self._sessions.values()), None)
            if session is None:
                raise LookupError("no relay is bound")
            try:
                status = await deliver(session)
            except smpp34.SmppError:
                self._sessions.pop(session.session_id, None)
                continue
            if status not in _TEMPORARY:
                return status
            await asyncio.sleep(0.1)
        return status


async def _deliver_sm(session: smpp34.Esme, **fields: Any) -> int:  # noqa: ANN401 - deliver_sm's own fields
    return (await session.deliver_sm(**fields)).command_status


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
