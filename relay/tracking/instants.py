"""Times as the API writes them: RFC 3339 in UTC, from the milliseconds that the store keeps."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(ms: float) -> str:
    """Return a time in milliseconds since the epoch as RFC 3339, to the millisecond."""
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def utc_or_none(ms: float) -> str | None:
    """Return the time, None for 0: not yet."""
    return utc(ms) if ms else None
