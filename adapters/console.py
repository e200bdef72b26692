"""The console: writes what would have been sent to a file or a log, in place of any provider."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, cast

import orjson
from pydantic import BaseModel, Field

from relay.adapter import Batch, Descriptor, Event, Kind, Outcome, Receipt, Scope, Services, Verdict
from relay.errors import ProviderDown

if TYPE_CHECKING:
    from structlog.stdlib import BoundLogger

_MAX_RECEIPTS = 100_000


class ConsoleSettings(BaseModel, frozen=True, extra="forbid"):
    """What an operator writes under ``[channels.<name>.settings]``.

    ``kind`` is the kind it stands in for; ``path`` a file that gets one JSON line per delivery (the operator's own
    test sink: it holds addresses and texts); ``delay`` the seconds a batch takes; ``verdict`` what each delivery led
    to; ``receipts`` whether a receipt follows each; ``idempotent`` whether the core may hand one over twice unmarked;
    ``silent`` has the texts made and then dropped, neither file nor log: what the engine costs by itself.
    """

    kind: Kind = Kind.SMS
    path: Path | None = None
    delay: float = Field(0.0, ge=0)
    verdict: Literal["accepted", "delivered"] = "accepted"
    receipts: bool = False
    idempotent: bool = True
    silent: bool = False


class Console:
    """Takes everything; nothing leaves the machine."""

    descriptor: ClassVar[Descriptor] = Descriptor(
        name="console", kind=Kind.SMS, settings=ConsoleSettings, idempotent=True, max_batch=256, max_in_flight=4096
    )

    @classmethod
    def describe(cls, settings: BaseModel) -> Descriptor:
        """Return the descriptor for the kind that ``settings`` name."""
        chosen = cast("ConsoleSettings", settings)
        return replace(
            cls.descriptor,
            kind=chosen.kind,
            idempotent=chosen.idempotent,
            receipts=chosen.receipts,
            settings=type(chosen),
        )

    def __init__(self, settings: BaseModel, services: Services) -> None:
        self._settings = cast("ConsoleSettings", settings)
        self._clock = services.clock
        self._log = cast("BoundLogger", services.log)
        self._file = -1
        self._receipts: asyncio.Queue[Receipt | None] = asyncio.Queue(_MAX_RECEIPTS)

    async def open(self) -> None:
        """Open the file, if there is one; its folder must exist."""
        if self._settings.path is not None and self._file < 0:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._file = await asyncio.to_thread(os.open, self._settings.path, flags, 0o600)

    async def close(self, *, deadline: float) -> None:
        """Close the file and end :meth:`events`."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if not self._receipts.full():
            self._receipts.put_nowait(None)

    async def send(self, batch: Batch) -> Sequence[Outcome]:
        """Write ``batch`` as whole lines that the kernel holds before this returns.

        Raises:
            ProviderDown: the file cannot be written; nothing of the batch is in it.
        """
        if self._settings.delay:
            await asyncio.sleep(self._settings.delay)
        if self._settings.silent:
            for item in batch:
                _ = item.text
        elif self._settings.path is not None and batch:
            if not await self._append(batch):
                return [Outcome(verdict=Verdict.UNKNOWN, reason="disk_full", scope=Scope.PROVIDER)] * len(batch)
        elif batch:
            self._log.info("console_sent", delivery_ids=[item.delivery_id for item in batch])
        if self._settings.receipts:
            self._promise(batch)
        return [Outcome(verdict=Verdict(self._settings.verdict))] * len(batch)

    async def events(self) -> AsyncIterator[Event]:
        """Yield a receipt for each delivery, if ``receipts`` is set, until the console is closed."""
        while (receipt := await self._receipts.get()) is not None:
            yield receipt

    async def _append(self, batch: Batch) -> bool:
        now = self._clock.now().isoformat()
        lines = b"".join(
            orjson.dumps(
                {
                    "delivery_id": item.delivery_id,
                    "recipient": item.address,
                    "text": item.text,
                    "send_number": item.send_number,
                    "time": now,
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for item in batch
        )
        if self._file < 0:
            raise ProviderDown("not_open")
        try:
            # One write, so that the lines of several processes do not mix; only a full disk makes it short.
            written = await asyncio.to_thread(os.write, self._file, lines)
        except OSError as error:
            self._log.warning("console_cannot_write", error=error.strerror)
            raise ProviderDown("cannot_write") from error
        return written == len(lines)

    def _promise(self, batch: Batch) -> None:
        now = self._clock.now()
        for item in batch:
            if not self._receipts.full():
                self._receipts.put_nowait(Receipt(delivery_id=item.delivery_id, verdict=Verdict.DELIVERED, at=now))
