"""Segments: who a leg is for, as immutable packed arrays (design §5, §9)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

#: A rank is ``segment number × SEGMENT + position``; a segment may hold fewer.
SEGMENT = 4000

_VERSION = 1
_HEAD = struct.Struct("<BH")


@dataclass(frozen=True)
class Segment:
    """At most 4,000 deliveries: sorted ``ordinals`` (u32), address ``slots`` (u8), ``variants`` (u16).

    ``number`` is its place in the leg: the rank of a delivery is ``number × SEGMENT + position``.
    """

    ordinals: NDArray[np.uint32]
    slots: NDArray[np.uint8]
    variants: NDArray[np.uint16]
    number: int

    def __len__(self) -> int:
        return len(self.ordinals)

    @cached_property
    def positions(self) -> dict[tuple[int, int], int]:
        """(ordinal, slot) → position, for mapping outcomes after a re-plan."""
        pairs = zip(self.ordinals.tolist(), self.slots.tolist(), strict=True)
        return {pair: position for position, pair in enumerate(pairs)}

    def pack(self) -> bytes:
        """Return the stored form: version, length, then deltas, slots and variants, deflated."""
        deltas = np.diff(self.ordinals, prepend=np.uint32(0)).astype("<u4")
        body = deltas.tobytes() + self.slots.astype("u1").tobytes() + self.variants.astype("<u2").tobytes()
        return _HEAD.pack(_VERSION, len(self)) + zlib.compress(body, 1)

    @classmethod
    def unpack(cls, data: bytes, *, number: int) -> Segment:
        """Read the stored form.

        Raises:
            ValueError: another version or damaged bytes.
        """
        version, count = _HEAD.unpack_from(data)
        if version != _VERSION:
            raise ValueError(f"segment version {version} is not known")
        body = zlib.decompress(data[_HEAD.size :])
        if len(body) != count * 7:
            raise ValueError("segment is damaged")
        ordinals = np.cumsum(np.frombuffer(body, "<u4", count), dtype=np.uint32)
        slots = np.frombuffer(body, "u1", count, count * 4)
        variants = np.frombuffer(body, "<u2", count, count * 5)
        return cls(ordinals, slots, variants, number)


def segments(
    ordinals: NDArray[np.uint32], slots: NDArray[np.uint8], variants: NDArray[np.uint16], *, first: int = 0
) -> Iterator[Segment]:
    """Cut sorted arrays into segments, numbered from ``first`` on; all but the last are full."""
    for start in range(0, len(ordinals), SEGMENT):
        cut = slice(start, start + SEGMENT)
        yield Segment(ordinals[cut], slots[cut], variants[cut], first + start // SEGMENT)
