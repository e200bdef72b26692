"""Chunk: a leased range of a segment."""

from __future__ import annotations

from dataclasses import dataclass

from relay.adapter import Class


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A leased range of a segment.

    ``how`` is ``fresh``, ``retry`` or ``again`` (a lease that ran out was taken over); times are milliseconds.
    """

    member: str
    token: str
    lane: str
    how: str
    klass: Class
    flags: int
    start_ms: float
    expires_ms: float
    leg_id: str
    segment: int
    first: int
    last: int  # one past the end
