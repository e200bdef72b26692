"""What the operators' pages need: one value, filled by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Protocol

from aiohttp import web

from relay.clock import Clock
from relay.console.sessions import Sessions
from relay.intake.authority import Key
from relay.intake.quota import Quota


class Deciding(Protocol):
    """Decides about held alerts; :class:`relay.intake.decisions.Decisions`."""

    async def approve(self, alert_id: str, *, decision: str, reason: str, key: Key) -> str:
        """Decide ``approve`` or ``reject``; return the alert's state afterwards.

        Raises:
            InvalidInput: 409, the alert does not wait for a decision.
            JournalUnavailable, StoreUnavailable: nothing was decided.
        """
        ...


class Switching(Protocol):
    """Stop, resume, pause; :class:`relay.intake.controls.Controls`."""

    async def stop(self, *, reason: str, key: Key) -> None:
        """Stop all sending.

        Raises:
            JournalUnavailable: the stop holds on this node only.
        """
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
    """The register of keys; :class:`relay.intake.register.Register`."""

    def authenticate_credential(self, credential: str) -> Key | None:
        """Return the live key of a credential."""
        ...

    def get(self, key_id: str) -> Key | None:
        """Return a key, also a revoked one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Everything the pages call.

    ``status`` makes the /status JSON; ``sign_ins`` counts tries by address, ``client`` says from which address a
    request comes.  ``origin`` is the relay's own (``https://alert.example``), for pages behind a proxy; with ``tls``
    cookies go over TLS only.  Times are shown in ``zone``.
    """

    status: Callable[[], Awaitable[Mapping[str, Any]]]
    keys: Keys
    decisions: Deciding
    controls: Switching
    sessions: Sessions
    sign_ins: Quota
    client: Callable[[web.BaseRequest], str]
    clock: Clock
    origin: str
    tls: bool
    zone: tzinfo = UTC
