"""Changes: what the stream of the directory's changes says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Changes:
    """Ordinals that changed, in order, and the position after them."""

    ordinals: Sequence[int]
    position: str


def reaches_from(oldest: Sequence[Any], position: str) -> bool:
    """Say whether a stream that begins with ``oldest`` still holds everything after ``position``."""
    if position == "0-0" or not oldest:
        return position == "0-0" and not oldest
    return _order(oldest[0][0].decode()) <= _order(position)


def read_changes(reply: Any) -> Changes | None:  # noqa: ANN401 -- a list or a dict, by the protocol's version
    """Return the changes of a reply to XREAD, None when there are none."""
    if not reply:
        return None
    entries = next(iter(reply.values()))[0] if isinstance(reply, dict) else reply[0][1]
    ordinals = [int(o) for _, fields in entries for o in _field(fields).split(b",")]
    return Changes(ordinals, entries[-1][0].decode())


def _field(fields: object) -> bytes:
    value = fields[b"o"] if isinstance(fields, dict) else fields[1]  # type: ignore[index]
    return bytes(value)


def _order(position: str) -> tuple[int, int]:
    ms, _, number = position.partition("-")
    return int(ms), int(number or 0)
