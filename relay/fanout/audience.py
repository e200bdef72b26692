"""The audience: this node's index, kept up to date, asked for who is to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import orjson
import structlog

from relay.adapter import Kind
from relay.cap.model import Alert
from relay.clock import Clock
from relay.directory import snapshot
from relay.directory.index import Index
from relay.directory.recipient import Recipient, from_json
from relay.directory.snapshot import Snapshot
from relay.directory.targeting import match
from relay.errors import StoreUnavailable
from relay.fanout.matcher import Audience
from relay.fanout.plan import Pairs
from relay.process import first
from relay.settings import Settings
from relay.store.directory import DirectoryStore

log = structlog.get_logger()

#: Every match catches up first: this only keeps what there is to catch up with small.
_BLOCK_MS = 15_000
_SAVE_EVERY = 60.0
#: Among no more recipients than this an alert is matched in the event loop: a thread would cost more.
_FEW = 2000


class IndexMatcher:
    """Follows the directory's changes and matches alerts against what it knows."""

    def __init__(self, store: DirectoryStore, *, settings: Settings, data_dir: Path, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._path = data_dir / "index.npz"
        self._index = Index()
        self._lock = asyncio.Lock()
        self._epoch = ""
        self._position = ""
        self._saved = ""
        self._caught_up = False

    @property
    def size(self) -> int:
        """How many recipients the index knows."""
        return len(self._index)

    @property
    def loaded(self) -> bool:
        """Whether the index has been read from Redis, or from this node's disk and caught up."""
        return self._caught_up

    async def match(self, alert: Alert, *, drill: bool) -> Audience:
        """Return who is to be told, knowing every change made before this call.

        Raises:
            StoreUnavailable: Redis is away.
        """
        (audience,) = await self.match_many([(alert, drill)])
        return audience

    async def match_many(self, alerts: Sequence[tuple[Alert, bool]]) -> Sequence[Audience]:
        """Match several alerts against one state of the directory; see :meth:`match`."""
        async with self._lock:
            await self._catch_up()
            if len(self._index) <= _FEW:
                return [self._match(alert, drill) for alert, drill in alerts]
            return await asyncio.to_thread(lambda: [self._match(alert, drill) for alert, drill in alerts])

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow changes until ``stopping``; what is known is kept on disk, so that a restart is quick."""
        await self._restore()
        save_at = 0.0
        while not stopping.is_set():
            try:
                async with self._lock:
                    await self._catch_up()
                self._caught_up = True
                if self._clock.monotonic() >= save_at:
                    await self._save()
                    save_at = self._clock.monotonic() + _SAVE_EVERY
                await first(self._store.changes(self._position or "0-0", block_ms=_BLOCK_MS), stopping)
            except StoreUnavailable:
                await asyncio.sleep(0.3)

    async def _restore(self) -> None:
        """Begin with the index as it was last written; what it does not know yet is in the stream of changes."""
        async with self._lock:
            known = await asyncio.to_thread(snapshot.read, self._path)
            if known is not None and not self._epoch:
                self._index, self._epoch, self._position = Index.restore(known.state), known.epoch, known.position
                self._saved = known.position
                log.info("index_restored", recipients=len(self._index))

    async def _save(self) -> None:
        if self._saved == self._position or not self._epoch:
            return
        async with self._lock:
            copy = Snapshot(state=self._index.dump(), epoch=self._epoch, position=self._position)
        try:
            await asyncio.to_thread(snapshot.write, self._path, copy)
        except OSError as error:
            log.warning("index_not_saved", error=error.strerror)
            return
        self._saved = copy.position

    def _match(self, alert: Alert, drill: bool) -> Audience:  # noqa: FBT001
        found = match(self._index, alert, point_radius_km=self._settings.cap.point_radius_km, drill=drill)
        return Audience(
            len(found.ordinals),
            {kind: Pairs(p.ordinals, p.slots, p.infos) for kind in Kind if len((p := found.pairs(kind)).ordinals)},
        )

    async def _catch_up(self) -> None:
        news = await self._store.news(self._position or "0-0")
        if not news.epoch:
            raise StoreUnavailable("the directory is being restored")
        if news.epoch != self._epoch or not news.reaches:
            await self._load(news.epoch)
            news = await self._store.news(self._position or "0-0")
        while news.changes is not None:
            ordinals = sorted(set(news.changes.ordinals))
            rows = await self._store.get_many(ordinals)
            masks = await self._store.denied(ordinals)
            for ordinal, row, mask in zip(ordinals, rows, masks, strict=True):
                _take(self._index, ordinal, row, mask)
            self._position = news.changes.position
            news = await self._store.news(self._position)

    async def _load(self, epoch: str) -> None:
        index = Index()
        position = await self._store.position()
        async for batch in self._store.scan():
            masks = await self._store.denied([ordinal for ordinal, _ in batch])
            for (ordinal, row), mask in zip(batch, masks, strict=True):
                _take(index, ordinal, row, mask)
        if await self._store.epoch() != epoch:
            raise StoreUnavailable("the directory changed while it was read")
        self._index, self._epoch, self._position = index, epoch, position
        log.info("index_loaded", recipients=len(self._index))


def _take(index: Index, ordinal: int, row: bytes | None, denied: int) -> None:
    recipient = _recipient(row)
    if recipient is None:
        index.remove(ordinal)
    else:
        index.upsert(ordinal, recipient, denied=denied)


def _recipient(row: bytes | None) -> Recipient | None:
    if row is None or orjson.loads(row).get("deleted"):
        return None
    return from_json(row)
