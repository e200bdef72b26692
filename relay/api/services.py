"""What the handlers need: one value, filled by the composition root; promises for what it may fill in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from relay.adapter import EgressGuard, Kind
from relay.clock import Clock
from relay.directory.recipient import Parsed, Recipient
from relay.directory.service import Stored
from relay.fanout.ids import DeliveryRef
from relay.intake.accept import Accept
from relay.intake.authority import Key, Mode, Role
from relay.intake.decisions import Cancelled
from relay.intake.journal import JournalStatus
from relay.intake.quota import Quota
from relay.intake.register import NewKey, Register
from relay.metrics import Metrics
from relay.settings import Settings
from relay.store.alerts import Alerts, StoredAlert
from relay.store.directory import DirectoryStore
from relay.store.legs import Legs
from relay.store.receipts import Previews
from relay.store.switches import Switches


class Deciding(Protocol):
    """What people decide about alerts; :class:`relay.intake.decisions.Decisions`."""

    async def find(self, alert_id: str) -> StoredAlert | None:
        """Return an alert, from this node's journal while Redis is away."""
        ...

    async def approve(self, alert_id: str, *, decision: str, reason: str, key: Key) -> str:
        """Decide about a held alert; return its state afterwards."""
        ...

    async def cancel(self, alert_id: str, *, reason: str, key: Key) -> Cancelled:
        """Cancel an alert by a Cancel of the relay's own."""
        ...


class Recipients(Protocol):
    """The directory with its journal: single edits survive whatever happens next."""

    async def get(self, recipient_id: str) -> Recipient | None:
        """Return a recipient, or None.

        Raises:
            StoreUnavailable: nobody knows now.
        """
        ...

    async def put(self, recipient: Recipient) -> None:
        """Journal and store one recipient.

        Raises:
            JournalUnavailable: nothing was stored.
        """
        ...

    async def delete(self, recipient_id: str) -> None:
        """Journal and take out one recipient.

        Raises:
            JournalUnavailable: nothing was changed.
        """
        ...

    async def import_batch(self, batch: Sequence[Parsed]) -> Stored:
        """Store one batch of an import.

        Raises:
            StoreUnavailable: what came before is stored.
        """
        ...

    async def finish_import(self) -> bool:
        """Return when the import is durable; False when that could not be seen in time.

        Raises:
            StoreUnavailable: Redis is away.
        """
        ...


class Switching(Protocol):
    """Stop, resume, pause; :class:`relay.intake.controls.Controls`."""

    @property
    def stopped(self) -> bool:
        """Whether this node has been told to stop sending."""
        ...

    async def stop(self, *, reason: str, key: Key) -> None:
        """Stop all sending."""
        ...

    async def resume(self, *, reason: str, key: Key) -> None:
        """Go on sending."""
        ...

    async def pause(self, channel: str, *, reason: str, key: Key) -> None:
        """Send nothing through one channel."""
        ...

    async def resume_channel(self, channel: str, *, reason: str, key: Key) -> None:
        """Send through a channel again."""
        ...


class Keys(Protocol):
    """Keys made and revoked; :class:`relay.intake.keyring.Keyring`."""

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
        """Make a key."""
        ...

    async def revoke(self, key_id: str) -> Key:
        """Revoke a key for good."""
        ...


class Acknowledging(Protocol):
    """Takes responders' answers; :class:`relay.intake.acknowledge.Acknowledge`."""

    async def acknowledge(self, ref: DeliveryRef, *, answer: int, via: str) -> bool:
        """Record an answer (1–9); False when Redis will be told later."""
        ...


class NodeState(Protocol):
    """What this node knows of itself without asking anybody."""

    @property
    def redis_available(self) -> bool:
        """Whether Redis answered lately."""
        ...

    @property
    def pending(self) -> int:
        """How many journalled records Redis has not applied."""
        ...

    @property
    def clock_trusted(self) -> bool:
        """Whether our clock may decide that something expired."""
        ...

    def journal_status(self) -> JournalStatus:
        """Return the journal's figures."""
        ...

    async def workers(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the last known heartbeat of each worker: ``at``, ``channels``, ``in_hand``; never raises."""
        ...

    def refuse(self, entry: Mapping[str, Any]) -> None:
        """Remember a refused post without its body (see :mod:`relay.api.refusals`); returns at once."""
        ...

    async def refusals(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest refused posts; never raises."""
        ...


class Keeping(Protocol):
    """What is kept where; :class:`relay.archive_room.ArchiveRoom`."""

    async def figures(self) -> Mapping[str, Mapping[str, Any]]:
        """Return how full Redis is and what the archive holds; never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the handlers call.

    ``secret`` signs the links of acknowledgement; ``kinds`` says for every configured channel how it reaches people;
    ``quota`` counts posts by key id.
    """

    settings: Settings
    clock: Clock
    metrics: Metrics
    secret: bytes
    guard: EgressGuard
    accept: Accept
    register: Register
    quota: Quota
    alerts: Alerts
    legs: Legs
    directory_store: DirectoryStore
    switches: Switches
    previews: Previews
    kinds: Mapping[str, Kind]
    decisions: Deciding
    directory: Recipients
    controls: Switching
    keys: Keys
    acknowledge: Acknowledging
    state: NodeState
    keeping: Keeping | None = None
