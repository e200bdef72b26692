"""Single edits of the directory: journalled first, like alerts; imports go straight to the directory."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from relay.clock import Clock
from relay.directory.recipient import Parsed, Recipient, to_json
from relay.directory.service import Directory, Stored
from relay.intake.ledger import Ledger
from relay.intake.records import DirectoryRecord


class Edits:
    """The directory as the API sees it."""

    def __init__(self, ledger: Ledger, directory: Directory, *, clock: Clock) -> None:
        self._ledger = ledger
        self._directory = directory
        self._clock = clock

    async def get(self, recipient_id: str) -> Recipient | None:
        """Return a recipient, or None.

        Raises:
            StoreUnavailable: nobody knows now.
        """
        return await self._directory.get(recipient_id)

    async def put(self, recipient: Recipient) -> None:
        """Journal and store one recipient.

        Raises:
            JournalUnavailable: nothing was stored.
        """
        await self._ledger.write(
            DirectoryRecord(op="put", id=recipient.id, json=orjson.loads(to_json(recipient)), at=self._clock.now())
        )

    async def delete(self, recipient_id: str) -> None:
        """Journal and take out one recipient.

        Raises:
            JournalUnavailable: nothing was changed.
        """
        await self._ledger.write(DirectoryRecord(op="delete", id=recipient_id, json={}, at=self._clock.now()))

    async def import_batch(self, batch: Sequence[Parsed]) -> Stored:
        """Store one batch of an import.

        Raises:
            StoreUnavailable: what came before is stored.
        """
        return await self._directory.import_batch(batch)

    async def finish_import(self) -> bool:
        """Return when the import is durable; False when that could not be seen in time.

        Raises:
            StoreUnavailable: Redis is away.
        """
        before = self._ledger.position
        fsynced = await self._directory.finish_import()
        await self._ledger.imported(before=before)
        return fsynced
