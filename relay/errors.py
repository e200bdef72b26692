"""Every error the relay raises on purpose.

RelayError
├── ConfigError           the operator must fix the configuration; the message says what to write
├── InvalidInput          the caller must fix the request; carries a problem slug and findings (HTTP 400 or 422)
│   └── InvalidAlert      the agency must fix the alert
├── IdentifierConflict    same message, other content (HTTP 409)
├── JournalUnavailable    nothing was accepted (HTTP 503)
├── StoreUnavailable      Redis cannot be reached or refuses writes now; what is journalled stays pending
│   └── StoreFull         it cannot take this now, and can take other things
├── DataDirInUse          another relay owns this data directory
├── ProviderDown          raised by an adapter's ``send`` for a whole batch that certainly did not leave
└── BlockedTarget         an address that a recipient's URL may not lead to; an OSError, so that clients pass it on
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass


class RelayError(Exception):
    """The root of all errors that are raised on purpose."""


class ConfigError(RelayError):
    """The configuration cannot be used; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a rule has to say about an alert or another input (design §18, *Findings*).

    ``path`` is an XPath (XML) or a JSON Pointer (JSON); ``line`` counts from 1 and is known for XML only.
    ``message_ru`` is the same sentence for ``Accept-Language: ru``; empty means that only English exists.
    """

    rule: str
    severity: str  # "error" | "fixed" | "warning"
    message: str
    path: str = ""
    line: int | None = None
    message_ru: str = ""


class InvalidInput(RelayError):
    """The request is refused and changes nothing.

    ``slug`` names the problem type ``urn:chapar:problem:<slug>``; ``status`` is the HTTP status.
    """

    def __init__(self, slug: str, detail: str, *, status: int = 422, findings: Sequence[Finding] = ()) -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.status = status
        self.findings = tuple(findings)


class InvalidAlert(InvalidInput):
    """The alert is refused; ``findings`` holds everything that was found, not only the first error."""


class IdentifierConflict(RelayError):
    """The triple (sender, identifier, sent) and the core are known, the content differs; ``existing`` came first."""

    def __init__(self, existing: str) -> None:
        super().__init__(f"another alert with this sender, identifier and sent is already accepted as {existing}")
        self.existing = existing


class JournalUnavailable(RelayError):
    """The journal cannot be written, so nothing may be accepted."""


class StoreUnavailable(RelayError):
    """Redis cannot be reached, is loading, or refuses writes."""


class StoreFull(StoreUnavailable):
    """Redis answers, and cannot take this now: there is no room for it, or what it refers to is not there yet."""


class DataDirInUse(RelayError):
    """Another relay already runs on this data directory."""


class ProviderDown(RelayError):
    """The provider is unreachable and certainly took nothing of the batch."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class BlockedTarget(RelayError, PermissionError):
    """The egress guard refuses an address when it is resolved or connected to."""

    def __init__(self, detail: str) -> None:
        super().__init__(errno.EACCES, detail)
        self.detail = detail
