"""A leg's cursor: how far it has been claimed, packed as ``lua/cursor.lua`` reads it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from relay.adapter import Class
from relay.store.keys import CLASSES

_CURSOR = struct.Struct("<BBBBIIIIIdd")
_VERSION = 1

CANCELLED, SUPERSEDED, EXPIRED, AGAIN = 1, 2, 4, 8
STOPPED = CANCELLED | SUPERSEDED | EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a leg has been claimed; times are milliseconds since the epoch.

    ``people`` is a byte of a digest of its audience, 0 when it is not known: whether a leg that was planned again has
    the same people at the same ranks.
    """

    klass: Class
    flags: int = 0
    segment: int = 0
    position: int = 0
    leased: int = 0
    expires: float
    start: float
    sizes: tuple[int, ...]
    people: int = 0

    @property
    def total(self) -> int:
        """The number of deliveries."""
        return sum(self.sizes)

    @property
    def stopped(self) -> bool:
        """Whether nothing more may be sent."""
        return bool(self.flags & STOPPED)

    @property
    def exhausted(self) -> bool:
        """Whether every chunk has been claimed at least once."""
        return self.segment >= len(self.sizes)

    def same_people(self, other: Cursor) -> bool:
        """Whether another plan of the leg has, as far as anybody can say, the same people at the same ranks."""
        if self.start == other.start:
            return True
        return bool(self.people) and (self.people, self.sizes) == (other.people, other.sizes)

    def pack(self) -> bytes:
        """Return the stored form (``lua/cursor.lua``)."""
        head = _CURSOR.pack(
            _VERSION,
            CLASSES.index(self.klass),
            self.flags,
            self.people,
            self.total,
            len(self.sizes),
            self.segment,
            self.position,
            self.leased,
            self.expires,
            self.start,
        )
        return head + struct.pack(f"<{len(self.sizes)}H", *self.sizes)

    @classmethod
    def unpack(cls, data: bytes) -> Cursor:
        """Read the stored form.

        Raises:
            ValueError: another version.
        """
        version, klass, flags, people, _, count, segment, position, leased, expires, start = _CURSOR.unpack_from(data)
        if version != _VERSION:
            raise ValueError(f"cursor version {version} is not known")
        return cls(
            klass=CLASSES[klass],
            flags=flags,
            segment=segment,
            position=position,
            leased=leased,
            expires=expires,
            start=start,
            sizes=struct.unpack_from(f"<{count}H", data, _CURSOR.size),
            people=people,
        )
