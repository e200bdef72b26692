"""What goes into intake and what comes out: a post, what was judged of it, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from relay.adapter import Class
from relay.cap.model import Alert
from relay.cap.parse import Parsed
from relay.errors import Finding
from relay.intake.memory import Identity
from relay.intake.verdict import Verdict

#: Why a message is a duplicate, by the key that decided.
WHY = {
    "K0": "the same bytes were posted before",
    "K1": "the same sender, identifier and sent were posted before",
    "K2": "the same message was posted before, written in another way",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A body as it came: ``media`` is ``xml`` or ``json``; ``charset`` is that of the HTTP header, if any."""

    body: bytes
    media: str
    content_type: str
    charset: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the agency is told; ``redis`` is ``applied`` or ``pending``; ``duplicate`` is (of, key, why) or None.

    ``copies`` counts this node's journal, and the replicas that had the alert when it was answered.
    """

    alert_id: str
    state: str
    reason: str
    klass: str
    identifier: str
    sender: str
    sent: str
    redis: str
    findings: tuple[Finding, ...]
    duplicate: tuple[str, str, str] | None = None
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An alert that would be accepted, with everything that was decided about it."""

    parsed: Parsed
    ids: Identity
    verdict: Verdict
    klass: Class
    findings: tuple[Finding, ...]

    @property
    def alert(self) -> Alert:
        """The alert."""
        return self.parsed.alert
