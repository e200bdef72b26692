"""What is remembered of a refused post: never its body, but the class that it would have had (design §2.9)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any

from relay.api.problems import Problem, shown
from relay.cap.model import Alert, Info, Time
from relay.cap.priority import alert_class
from relay.clock import Clock
from relay.intake.authority import Key

_WORDS = ("status", "urgency", "severity", "certainty", "event")
_XML = {name: re.compile(rf"<(?:[\w.-]+:)?{name}\s*>\s*([^<]{{1,64}}?)\s*<".encode()) for name in _WORDS}
_JSON = {name: re.compile(rf'"{name}"\s*:\s*"([^"]{{1,64}})"'.encode()) for name in _WORDS}
_LOOKED_AT = 256 * 1024


def refusal(problem: Problem, body: bytes, *, key: Key, clock: Clock, flash_events: Collection[str]) -> dict[str, Any]:
    """Return the record of a refused post."""
    return {
        "at": clock.time(),
        "agency": key.name,
        "key": key.key_id,
        "status": problem.status,
        "problem": problem.slug,
        "rules": sorted({finding.rule for finding in problem.findings if finding.severity == "error"})[:20],
        "priority": likely_class(body, clock=clock, flash_events=flash_events),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def likely_class(body: bytes, *, clock: Clock, flash_events: Collection[str]) -> str | None:
    """Return the class that a document which could not be read would most likely have had; None: no idea."""
    text = body[:_LOOKED_AT]
    found = _words(text, _XML) or _words(text, _JSON)
    if not found or "status" not in found:
        return None
    now = clock.now()
    info = Info(
        category=(),
        event=found.get("event", ""),
        urgency=found.get("urgency", "Unknown"),
        severity=found.get("severity", "Unknown"),
        certainty=found.get("certainty", "Unknown"),
    )
    sent = Time(now.isoformat(), now)
    alert = Alert(identifier="", sender="", sent=sent, status=found["status"], msg_type="Alert", scope="", info=(info,))
    return str(alert_class(alert, flash_events=flash_events))


def _words(text: bytes, patterns: Mapping[str, re.Pattern[bytes]]) -> dict[str, str]:
    hits = {name: pattern.search(text) for name, pattern in patterns.items()}
    return {name: hit[1].decode(errors="replace") for name, hit in hits.items() if hit is not None}


def safe(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return what a log may hold of a refusal."""
    return {name: shown(str(entry[name])) for name in ("agency", "problem", "status", "priority")}
