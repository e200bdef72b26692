"""The keyring: keys made and revoked, known to every node within a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog

from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.intake.authority import Key, Mode, Role
from relay.intake.ledger import Ledger
from relay.intake.records import KeyRecord
from relay.intake.register import NewKey, Register
from relay.process import pause
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
        self._unsaved = False

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
        """Take in what other nodes and the command line did, and tell what they lack, until ``stopping``."""
        while not stopping.is_set():
            try:
                await self._once()
            except StoreUnavailable:
                log.debug("keys_not_shared")
            except OSError as error:  # a full disk: the keys are known all the same, and saved when there is space
                log.warning("keys_not_saved", error=error.strerror)
            await pause(stopping, seconds=_PERIOD)

    async def _once(self) -> None:
        await asyncio.to_thread(self.register.refresh)
        shared = _read(await self._switches.keys())
        if self.register.merge(shared.values()) or self._unsaved:
            self._unsaved = True
            await asyncio.to_thread(self.register.save)
            self._unsaved = False
        # After the merge ours is never older: whatever differs is missing there, or was written before a revocation.
        ours = self.register.keys()
        lacking = [key for key in ours if shared.get(key.key_id) != _stored(key)]
        if lacking:
            await self._switches.put_keys({key.key_id: orjson.dumps(key.entry()) for key in lacking})

    async def _keep(self, key: Key) -> None:
        await self._ledger.write(KeyRecord(entry=key.entry(), at=self._clock.now()))
        try:
            await asyncio.to_thread(self.register.save)
        except OSError as error:  # it is journalled; the file follows when there is space
            self._unsaved = True
            log.warning("keys_not_saved", error=error.strerror)


def _read(entries: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Return entries by key id; one bad line must not lock everybody out."""
    found = {}
    for key_id, text in entries.items():
        with contextlib.suppress(orjson.JSONDecodeError):
            found[key_id] = orjson.loads(text)
    return found


def _stored(key: Key) -> dict[str, Any]:
    """Return a key's entry as it is read back."""
    entry: dict[str, Any] = orjson.loads(orjson.dumps(key.entry()))
    return entry
