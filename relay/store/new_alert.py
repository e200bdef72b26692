"""New alert: what intake asks Redis to remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.adapter import Class
from relay.store.memories import ANY_MEMORY, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """What intake asks Redis to remember.

    ``received_ms`` and ``expires_ms`` are milliseconds since the epoch; ``referenced`` are the k1 digests of the
    triples in ``references``; ``fields`` are further hash fields as text (see ``relay.intake.accept``).  ``memory``
    is the only one that may take it, when it was lost and is told again.
    """

    alert_id: str
    k0: str
    k1: str
    k2: str
    node: str
    number: int
    state: str
    reason: str
    msg_type: str
    klass: Class
    received_ms: int
    expires_ms: int
    referenced: Sequence[str]
    raw: bytes
    fields: Mapping[str, str]
    memory: Memory = ANY_MEMORY

    @property
    def facts(self) -> dict[str, str]:
        """All that is said of it, as fields; ``fields`` come before what intake says besides."""
        facts = {
            "k1": self.k1,
            **self.fields,
            "node": self.node,
            "k0": self.k0,
            "msgType": self.msg_type,
            "class": self.klass,
            "received": str(self.received_ms),
            "expires": str(self.expires_ms),
        }
        return {**facts, "reason": self.reason} if self.reason else facts
