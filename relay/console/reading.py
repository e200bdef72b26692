"""Single values of the /status JSON, read tolerantly: what is missing or odd becomes empty, zero or None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

_LONGEST = 120


def text(value: object, *, longest: int = _LONGEST) -> str:
    """Return a short text in one line, empty for what is none."""
    line = " ".join(value.split()) if isinstance(value, str) else ""
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def whole(value: object) -> int:
    """Return a count, 0 for what is none."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**63 else 0


def truth(value: object, *, otherwise: bool) -> bool:
    """Return a JSON boolean, or ``otherwise``."""
    return value if isinstance(value, bool) else otherwise


def rows(value: object) -> list[Mapping[str, Any]]:
    """Return rows of a list, or of a mapping from names."""
    if isinstance(value, Mapping):
        return [{"name": name, **row} for name, row in value.items() if isinstance(row, Mapping)]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [row for row in value if isinstance(row, Mapping)]
    return []


def part(value: object) -> Mapping[str, Any]:
    """Return a mapping; a text that is no word for well is its error."""
    if isinstance(value, Mapping):
        return value
    return {"error": text(value)} if isinstance(value, str) and value not in ("ok", "up") else {}


def moment(value: object) -> datetime | None:
    """Return the aware time that a JSON value means: RFC 3339 text, or seconds since the epoch; None for neither."""
    try:
        if isinstance(value, str) and value:
            read = datetime.fromisoformat(value)
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def before(time: datetime | None, seconds: object) -> datetime | None:
    """Return the time that was so many seconds before, None when one of them is not known."""
    if time is None or not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return time - timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
