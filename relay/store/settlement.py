"""Settlement: what is written down of a chunk, as the script takes it."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.adapter import Class
from relay.store.chunk import Chunk
from relay.store.partitions import Keys
from relay.tracking.states import Record


@dataclass(frozen=True, slots=True)
class Settled:
    """What the sender hears back: the leg's flags, whether its lease was taken over, whether the leg is done."""

    flags: int
    lost: bool
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Outcomes of one segment: ``records`` by position, and what happens to the lease (``chunk`` None: there is none).

    ``retry_at`` and ``check_at`` are milliseconds since the epoch, 0 for none; ``log`` goes to the outcome log.
    """

    leg_id: str
    alert_id: str
    lane: str
    klass: Class
    segment: int
    size: int
    records: Mapping[int, Record]
    chunk: Chunk | None = None
    final: bool = False
    lease_ms: int = 0
    retry_at: int = 0
    check_at: int = 0
    log: bytes = b""


def to_script(keys_of: Keys, s: Settlement) -> tuple[list[str], list[str | bytes | int]]:
    """Return keys and arguments of the script that settles."""
    keys = keys_of.of_leg(s.leg_id)
    names = [
        keys.legs,
        keys.leg(s.leg_id),
        keys.records(s.leg_id, s.segment),
        keys.outcomes(s.leg_id, s.segment),
        keys.leases(s.lane, s.klass),
        keys.tokens,
        keys.retries(s.lane, s.klass),
        keys.alert(s.alert_id),
        keys.checks,
        keys.outcomes_copy(s.leg_id, s.segment),
    ]
    positions = sorted(s.records)
    member, token = (s.chunk.member, s.chunk.token) if s.chunk else ("", "")
    args: list[str | bytes | int] = [
        s.leg_id,
        member,
        token,
        int(s.final),
        s.lease_ms,
        s.retry_at,
        s.size,
        struct.pack(f"<{len(positions)}H", *positions),
        _packed([s.records[p] for p in positions]),
        s.log,
        s.check_at,
        int(s.chunk.start_ms) if s.chunk else 0,
    ]
    return names, args


def from_script(reply: Sequence[int]) -> Settled | None:
    """Return what the script answered; None when the leg is not here any more."""
    return None if reply[0] == -1 else Settled(int(reply[0]), bool(reply[1]), bool(reply[2]))


def _packed(records: Sequence[Record]) -> bytes:
    """Return the bytes of records, packing each distinct object once: most of a batch are the same one."""
    known: dict[int, bytes] = {}
    parts = []
    for record in records:
        data = known.get(id(record))
        if data is None:
            data = known[id(record)] = record.pack()
        parts.append(data)
    return b"".join(parts)
