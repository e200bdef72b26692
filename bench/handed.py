"""The file of a console channel: when the first delivery of each alert was handed over."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from pathlib import Path

import orjson

from bench.client import NotReached, Posted
from relay.adapter import Kind
from relay.fanout.ids import DeliveryRef, leg_id

_LOOK = 0.005


class Handed:
    """Reads what a channel of one kind has written to ``path``, each line once."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self.kind = kind
        self._path = path
        self._read = 0
        self._first: dict[str, float] = {}

    async def first(self, posted: Posted, *, within: float) -> float:
        """Wait for an alert's first line and return when it was handed over (wall clock).

        Raises:
            NotReached: nothing of it was within ``within`` seconds.
        """
        ends = time.perf_counter() + within
        while (at := self.seen(posted)) is None:
            if time.perf_counter() >= ends:
                raise NotReached(f"nothing of {posted.alert_id} was handed over as {self.kind} in {within:.0f} s")
            await asyncio.sleep(_LOOK)
        return at

    def seen(self, posted: Posted) -> float | None:
        """Return when an alert's first delivery was handed over (wall clock); None while none was."""
        self._look()
        return self._first.get(leg_id(posted.alert_id, kind=self.kind, round_number=0))

    def _look(self) -> None:
        for line in self._whole_lines().splitlines():
            row = orjson.loads(line)
            ref = DeliveryRef.parse(row["delivery_id"])
            if ref is not None and ref.leg_id not in self._first:
                self._first[ref.leg_id] = datetime.fromisoformat(row["time"]).timestamp()

    def _whole_lines(self) -> bytes:
        if not self._path.exists():
            return b""
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole
