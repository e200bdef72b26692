"""The keyring: keys made and revoked, known to every node within a second."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.intake.authority import Key, Mode, Role
from relay.intake.ledger import Ledger
from relay.intake.records import KeyRecord
from relay.intake.register import NewKey, Register
from relay.store.switches import Switches

log = structlog.get_logger()

_PERIOD = 0.5


class Keyring:
    """The register with its shared copy in Redis."""

    def __init__(self, register: Register, ledger: Ledger, switches: Switches, *, clock: Clock) -> None:
        self.register = register
        self._ledger = ledger
        self._switches = switches
        self._clock = clock

    async def create(
        self,
        *,
        role: Role,
        name: str,
        senders: Sequence[str] = (),
        mode: Mode = Mode.LIVE,
        strict: bool = False,
        area: str = "",
        hazards: Sequence[str] = (),
    ) -> NewKey:
        """Make a key; its credential is in the answer and nowhere else.

        Raises:
            InvalidInput: the key would not be usable.
            JournalUnavailable: no key was made.
        """
        new = self.register.create(
            role=role, name=name, senders=tuple(senders), mode=mode, strict=strict, area=area, hazards=tuple(hazards)
        )
        await self._keep(new.key)
        return new

    async def revoke(self, key_id: str) -> Key:
        """Revoke a key for good.

        Raises:
            InvalidInput: there is no such key.
            JournalUnavailable: it stays revoked on this node only.
        """
        key = self.register.revoke(key_id)
        await self._keep(key)
        return key

    async def run(self, stopping: asyncio.Event) -> None:
        """Take in what other nodes and the command line did, until ``stopping``."""
        await self._share()
        while not stopping.is_set():
            try:
                await asyncio.to_thread(self.register.refresh)
                entries = await self._switches.keys()
                changed = self.register.merge([orjson.loads(entry) for entry in entries.values()])
                if changed:
                    await asyncio.to_thread(self.register.save)
                if len(entries) < len(self.register.keys()):
                    await self._share()
            except StoreUnavailable:
                log.debug("keys_not_shared")
            await asyncio.sleep(_PERIOD)

    async def _share(self) -> None:
        """Tell Redis every key of this node: it may have lost them, or never had them."""
        try:
            keys = self.register.keys()
            await self._switches.put_keys({key.key_id: orjson.dumps(key.entry()) for key in keys})
        except StoreUnavailable:
            log.debug("keys_not_shared")

    async def _keep(self, key: Key) -> None:
        await self._ledger.write(KeyRecord(entry=key.entry(), at=self._clock.now()))
        await asyncio.to_thread(self.register.save)
