"""The directory as a service: single edits through the journal, imports through Redis' disk, a copy on this node."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
import structlog

from relay.clock import Clock
from relay.directory.copy import Copy, Row, order
from relay.directory.recipient import Parsed, Recipient, carry_denied, from_json, to_json, with_previous
from relay.errors import StoreUnavailable
from relay.intake.records import DirectoryRecord
from relay.process import pause
from relay.store.changes import Changes
from relay.store.directory import DirectoryStore, Restored

log = structlog.get_logger()

_BATCH = 1000
_BLOCK_MS = 1000


@dataclass(frozen=True, slots=True)
class Stored:
    """How many recipients of a batch were new, and how many were there already."""

    created: int
    updated: int


class Directory:
    """Recipients of this deployment."""

    def __init__(self, store: DirectoryStore, copy: Copy, *, clock: Clock) -> None:
        self._store = store
        self._copy = copy
        self._clock = clock
        self._copying = asyncio.Lock()
        self.synced = asyncio.Event()

    async def get(self, recipient_id: str) -> Recipient | None:
        """Return a recipient, or None.

        Raises:
            StoreUnavailable: Redis is away.
        """
        ordinal = await self._store.ordinal(recipient_id)
        row = (await self._store.get_many([ordinal]))[0] if ordinal is not None else None
        return from_json(row) if row is not None else None

    async def store(self, batch: Sequence[Parsed]) -> Stored:
        """Store recipients; opt-outs, and secrets that were left out, stay with their addresses.

        Raises:
            StoreUnavailable: Redis is away, or the directory is being restored.
        """
        latest = {parsed.recipient.id: parsed for parsed in batch}
        places = dict(zip(latest, await self._store.allocate(list(latest), epoch=""), strict=True))
        old = sorted(place.ordinal for place in places.values() if not place.created)
        rows = dict(zip(old, await self._store.get_many(old), strict=True))
        masks = dict(zip(old, await self._store.denied(old), strict=True))
        texts: dict[int, bytes] = {}
        denied: dict[int, int] = {}
        for recipient_id, parsed in latest.items():
            ordinal = places[recipient_id].ordinal
            recipient, row, mask = parsed.recipient, rows.get(ordinal), masks.get(ordinal, 0)
            if row is not None and (parsed.new_secrets or mask):
                previous = from_json(row)
                recipient = with_previous(parsed, previous).recipient
                denied |= {ordinal: carry_denied(previous, recipient, mask)} if mask else {}
            texts[ordinal] = to_json(recipient)
        await self._store.write(texts, denied=denied)
        created = sum(place.created for place in places.values())
        return Stored(created, len(batch) - created)

    async def import_batch(self, batch: Sequence[Parsed]) -> Stored:
        """Store one batch of an import; :meth:`finish_import` makes it durable.

        Raises:
            StoreUnavailable: Redis is away; what came before is stored.
        """
        return await self.store(batch)

    async def finish_import(self) -> bool:
        """Wait until the import is on the server's disk and in this node's copy; False when that was not seen in time.

        Raises:
            StoreUnavailable: Redis is away.
        """
        fsynced = await self._store.fsync(seconds=5)
        try:
            await self.catch_up()
            await self._copy.sync()
        except OSError as error:
            log.error("directory_not_copied", error=str(error))  # noqa: TRY400 -- the sentence says it all
            return False
        return fsynced

    async def delete(self, recipient_id: str) -> bool:
        """Take a recipient out; False when he is not there."""
        return await self._store.remove(recipient_id, orjson.dumps({"id": recipient_id, "deleted": True}))

    async def apply(self, record: DirectoryRecord) -> None:
        """Apply a journalled edit; harmless to repeat."""
        match record.op:
            case "put":
                await self.store([Parsed(recipient=from_json(orjson.dumps(record.json)))])
            case "delete":
                await self.delete(record.id)
            case "opt_out":
                ordinal = await self._store.ordinal(record.id)
                if ordinal is not None:
                    await self._store.opt_out(ordinal, int(record.json["slot"]))
            case _:
                log.error("directory_edit_unknown", op=record.op)

    # The copy on this node.

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep this node's copy up to date until ``stopping``."""
        while not stopping.is_set():
            try:
                if not self.synced.is_set():
                    await self.recover()
                await self._follow()
            except StoreUnavailable:
                # Another server may answer next, which may have forgotten something.
                self.synced.clear()
                await asyncio.sleep(0.3)
            except OSError as error:
                # A full disk: this node goes on without a copy until there is space again.
                log.error("directory_not_copied", error=str(error))  # noqa: TRY400 -- the sentence says it all
                await pause(stopping, seconds=1.0)

    async def recover(self) -> None:
        """Compare Redis with the copy: restore what Redis lost, read what the copy lacks.

        Raises:
            StoreUnavailable: Redis is away, or the copy cannot be written.
        """
        try:
            await self._recover()
        except OSError as error:
            raise StoreUnavailable(f"the copy of the directory cannot be written: {error.strerror}") from error

    async def _recover(self) -> None:
        async with self._copying:
            if not await asyncio.to_thread(self._copy.look):
                await asyncio.to_thread(self._copy.read)
            name = await self._store.name()
            epoch, known = name.epoch, self._copy.position
            if not epoch and self._copy.epoch:
                await self._restore(await asyncio.to_thread(self._copy.read))
            elif epoch and (epoch != self._copy.epoch or not await self._store.reaches(known)):
                await self._read_all(epoch)
            elif not epoch:
                await self._begin()
            elif order(newest := await self._store.before(known)) < order(known):
                await self._put_back(newest)
            await self._store.compared()
            self.synced.set()

    async def catch_up(self) -> None:
        """Follow changes until there are none."""
        if not self.synced.is_set():
            await self.recover()
        while await self._follow(block_ms=1):
            continue

    async def _follow(self, *, block_ms: int = _BLOCK_MS) -> bool:
        after = self._copy.position
        changes = await self._store.changes(after or "0-0", block_ms=block_ms)
        async with self._copying:
            if self._copy.position != after:
                # An import's end and the running part follow at once: what one has written the other must not set back.
                return True
            return await self._take_in(changes)

    async def _take_in(self, changes: Changes | None) -> bool:
        epoch = await self._store.epoch()
        if epoch != self._copy.epoch and (epoch or self._copy.epoch):
            if self._copy.epoch or not epoch:
                self.synced.clear()
                return False
            await self._read_all(epoch)
            return True
        if self._copy.torn:
            await self._read_all(epoch)
        if changes is None:
            return False
        rows = await self._read_rows(sorted(set(changes.ordinals)))
        await self._copy.add(rows, position=changes.position, durable=False)
        if self._copy.bloated:
            await self._read_all(epoch)
        return True

    async def _read_rows(self, ordinals: Sequence[int]) -> dict[int, Row]:
        texts = await self._store.get_many(ordinals)
        masks = await self._store.denied(ordinals)
        return {o: Row(m, t) for o, t, m in zip(ordinals, texts, masks, strict=True) if t is not None}

    async def _read_all(self, epoch: str) -> None:
        position = await self._store.position()
        rows: dict[int, Row] = {}
        async for batch in self._store.scan():
            masks = await self._store.denied([ordinal for ordinal, _ in batch])
            rows.update({o: Row(mask, text) for (o, text), mask in zip(batch, masks, strict=True)})
        if (await self._store.name()).epoch != epoch:
            # What was read may be the rest of a directory that is being lost: the copy must not become that.
            raise StoreUnavailable("the directory changed while it was copied")
        await self._copy.write(rows, epoch=epoch, position=position)
        log.info("directory_copied", recipients=len(rows))

    async def _begin(self) -> None:
        """Name an empty directory: one without a name is one that was lost, and nobody may be matched against it."""
        await self._store.restored(secrets.token_hex(8), recipients=0, span=0)
        await self._copy.write({}, epoch=(await self._store.name()).epoch, position="0-0")

    async def _put_back(self, newest: str) -> None:
        """Tell a server that took over without the last changes of the recipients that changed after ``newest``."""
        rows = await asyncio.to_thread(self._copy.since, newest)
        position = self._copy.position
        while (changes := (await self._store.news(position)).changes) is not None:
            # What it was told since then is newer.
            position = changes.position
            for ordinal in changes.ordinals:
                rows.pop(ordinal, None)
        ordinals = sorted(rows)
        for start in range(0, len(ordinals), _BATCH):
            part = ordinals[start : start + _BATCH]
            await self._store.restore({o: _restored(rows[o]) for o in part})
        log.warning("directory_put_back", recipients=len(rows))

    async def _restore(self, rows: Mapping[int, Row]) -> None:
        ordinals = sorted(rows)
        for start in range(0, len(ordinals), _BATCH):
            part = ordinals[start : start + _BATCH]
            await self._store.restore({o: _restored(rows[o]) for o in part})
        epoch = secrets.token_hex(8)
        there = sum(1 for row in rows.values() if _restored(row).recipient_id)
        await self._store.restored(epoch, recipients=there, span=max(ordinals, default=-1) + 1)
        await self._copy.write(rows, epoch=epoch, position=await self._store.position())
        log.warning("directory_restored", recipients=len(rows))


def _restored(row: Row) -> Restored:
    known = orjson.loads(row.text)
    return Restored("" if known.get("deleted") else known["id"], row.text, row.denied)
