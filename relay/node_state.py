"""What this node knows of itself without asking anybody: for health, the status page, and the accept path."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.intake.accept import Accept
from relay.intake.journal import Journal, JournalStatus
from relay.intake.remember import Remember
from relay.metrics import Metrics
from relay.store.connection import Connection
from relay.store.switches import Switches

log = structlog.get_logger()

_PERIOD = 0.5
_REFUSALS = 500
#: A clock that is off Redis TIME by more than this decides nothing about expiry (design §6).
_SKEW = 2.0


class NodeState:
    """Refreshed twice a second; reading it never waits."""

    def __init__(
        self,
        connection: Connection,
        journal: Journal,
        remember: Remember,
        accept: Accept,
        switches: Switches,
        metrics: Metrics,
        *,
        clock: Clock,
    ) -> None:
        self._redis = connection
        self._journal = journal
        self._remember = remember
        self._accept = accept
        self._switches = switches
        self._metrics = metrics
        self._clock = clock
        self._workers: Mapping[str, Mapping[str, Any]] = {}
        self._refusals: deque[Mapping[str, Any]] = deque(maxlen=_REFUSALS)
        self._unsent: deque[Mapping[str, Any]] = deque(maxlen=_REFUSALS)
        self._reachable = False
        self._skewed = False
        self._latest: datetime | None = None

    @property
    def redis_available(self) -> bool:
        """Whether Redis answered lately."""
        return self._reachable

    @property
    def pending(self) -> int:
        """How many journalled records Redis has not applied."""
        return self._remember.pending

    @property
    def clock_trusted(self) -> bool:
        """Whether our clock may decide that something expired."""
        return self._accept.clock_trusted

    def journal_status(self) -> JournalStatus:
        """Return the journal's figures."""
        return self._journal.status()

    async def workers(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the last known heartbeat of each worker."""
        return self._workers

    def refuse(self, entry: Mapping[str, Any]) -> None:
        """Remember a refused post without its body."""
        self._refusals.appendleft(entry)
        self._unsent.append(entry)

    async def refusals(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest refused posts: of all nodes when Redis answers, else of this one."""
        try:
            return await self._switches.refusals(limit)
        except StoreUnavailable:
            return list(self._refusals)[:limit]

    async def run(self, stopping: asyncio.Event) -> None:
        """Refresh until ``stopping``."""
        while not stopping.is_set():
            self.judge_clock()
            try:
                await self._refresh()
                self._reachable = True
            except StoreUnavailable:
                self._reachable = False
            self._metrics.redis_up.set(int(self._reachable))
            self._metrics.pending.set(self.pending)
            await asyncio.sleep(_PERIOD)

    def judge_clock(self) -> None:
        """Decide whether our clock may call anything expired: not when it is off Redis, or behind what it once said."""
        now = self._clock.now()
        stamps = [stamp for stamp in (self._latest, self._remember.newest) if stamp is not None]
        self._latest = max([now, *stamps])
        behind = (self._latest - now).total_seconds()
        trusted = not self._skewed and behind <= _SKEW
        if trusted != self._accept.clock_trusted:
            log.warning("clock_doubt", behind=round(behind, 1), off_redis=self._skewed, trusted=trusted)
            self._accept.clock_trusted = trusted

    async def _refresh(self) -> None:
        before = self._clock.time()
        seconds, micros = await self._redis.call("TIME")
        after, there = self._clock.time(), int(seconds) + int(micros) / 1e6
        # Redis read its clock somewhere between the two: a slow answer is no wrong clock.
        self._skewed = not before - _SKEW <= there <= after + _SKEW
        self._workers = await self._switches.workers()
        while self._unsent:
            await self._switches.refused(self._unsent[0])
            self._unsent.popleft()
