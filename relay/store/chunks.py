"""Chunks: leased, settled by batch, renewed; the hot path of the engine."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.adapter import Class
from relay.store.connection import Connection
from relay.store.keys import CLASSES, Partition
from relay.tracking.states import Record


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


@dataclass(frozen=True, slots=True)
class Nothing:
    """No chunk now: come back in ``wait`` seconds at the latest; ``fenced`` while a recovery keeps leases back."""

    wait: float
    fenced: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """The answer to a claim; ``epoch`` changes when the partition was emptied and filled again."""

    found: Chunk | Nothing
    epoch: str


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


#: Of the claims made while no P0 waits, one in this many starts with the lowest class (design §8).
FLOOR = 16


class Chunks:
    """The claimable work of one partition."""

    def __init__(self, connection: Connection, partition: Partition) -> None:
        self._redis = connection
        self.keys = partition

    async def claim(
        self,
        lane: str,
        *,
        token: str,
        most: int,
        lease_ms: int,
        flash_ms: int,
        fence_ms: int,
        urgent: bool,
    ) -> Claimed:
        """Lease one chunk of ``lane``: the worst news first (``urgent``: only P0 and P1).

        Raises:
            StoreUnavailable: Redis is away.
        """
        keys = self.keys
        names = [keys.legs, keys.turn, keys.run, keys.tokens, keys.checks]
        names += [keys.ready(lane, c) for c in CLASSES]
        names += [keys.leases(lane, c) for c in CLASSES]
        names += [keys.retries(lane, c) for c in CLASSES]
        lowest = 2 if urgent else len(CLASSES)
        reply = await self._redis.run("claim", names, [token, fence_ms, most, lease_ms, flash_ms, lowest, FLOOR])
        word = _text(reply[0])
        if word != "chunk":
            return Claimed(Nothing(int(reply[1]) / 1000, word == "fence"), _text(reply[2]))
        return Claimed(_chunk(reply, token=token, lane=lane), _text(reply[7]))

    async def settle(self, s: Settlement) -> Settled | None:
        """Record outcomes; None when the leg that the chunk was claimed of is not here any more.

        The store was emptied then; the leg may have been planned again, with other people at the same positions.

        Raises:
            StoreUnavailable: Redis is away; settling again is harmless.
        """
        keys = self.keys
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
        reply = await self._redis.run("settle", names, args)
        if reply[0] == -1:
            return None
        return Settled(int(reply[0]), bool(reply[1]), bool(reply[2]))

    async def renew(self, chunks: Sequence[Chunk], *, lease_ms: int, flash_ms: int) -> list[int]:
        """Extend leases; returns each leg's flags, −1 where the lease was lost."""
        if not chunks:
            return []
        names = [self.keys.legs, self.keys.tokens, *(self.keys.leases(c.lane, c.klass) for c in chunks)]
        args: list[str | int] = []
        for chunk in chunks:
            args += [chunk.member, chunk.token, flash_ms if chunk.klass is Class.P0 else lease_ms]
        return [int(flags) for flags in await self._redis.run("renew", names, args)]


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


def _chunk(reply: Sequence[bytes | int], *, token: str, lane: str) -> Chunk:
    member = _text(reply[2])
    leg_id, segment, first, last = member.split("|")
    return Chunk(
        member=member,
        token=token,
        lane=lane,
        how=_text(reply[1]),
        klass=CLASSES[int(reply[3]) - 1],
        flags=int(reply[4]),
        start_ms=float(reply[5]),
        expires_ms=float(reply[6]),
        leg_id=leg_id,
        segment=int(segment),
        first=int(first),
        last=int(last),
    )


def _text(value: bytes | str | int | None) -> str:
    if isinstance(value, bytes):
        return value.decode()
    return "" if value is None else str(value)
