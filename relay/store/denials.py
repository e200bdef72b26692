"""Denials: how the bitmap of denied address slots is read for some recipients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relay.store.keys import DIR_DENY

#: Above this many bytes a range of the bitmap is read one by one instead.
_RANGE = 65_536


def question(ordinals: Sequence[int]) -> tuple[str | int, ...]:
    """Return the command that reads the masks of ``ordinals``, which ascend and are not empty."""
    first, last = ordinals[0], ordinals[-1]
    if last - first < _RANGE:
        return ("GETRANGE", DIR_DENY, first, last)
    return ("BITFIELD_RO", DIR_DENY, *(part for o in ordinals for part in ("GET", "u8", f"#{o}")))


def masks(asked: Sequence[str | int], reply: Any, ordinals: Sequence[int]) -> list[int]:  # noqa: ANN401 -- by command
    """Return the denied slots of each ordinal, as a bitmask, from the reply to a question."""
    if asked[0] != "GETRANGE":
        return [int(mask) for mask in reply]
    first = ordinals[0]
    return [reply[o - first] if o - first < len(reply) else 0 for o in ordinals]
