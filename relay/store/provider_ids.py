"""Which delivery a provider's id belongs to, in few bytes: for receipts.

Ids of one day and channel are in hashes of about 96, few enough that Redis keeps them packed.  There is no number of
hashes that suits every day: when those of one *generation* are full, the next has twice as many.  A field is 56
bits of the id's hash, and the hash that holds it is chosen by other bits; the value is the number of the leg in the
day's list of legs, then the rank.  Ids of equal bits do not take each other's place: the later one is elsewhere, under
its whole name.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from relay.errors import StoreUnavailable
from relay.store.connection import Connection
from relay.store.keys import RECEIPT_BUCKETS, Partition

DAY = 24 * 3600
#: Ids are kept for three days.
KEEP = 3 * DAY

#: Ids of a bucket on the average; Redis 7.0 and Valkey keep at least 128 packed.
_FULL = 96
_BUCKETS, _GROWTH = 32, 2
#: So many ids go into one script.
_BATCH = 500
_REMEMBERED = 10_000

#: How a value ends: the rank in two or three bytes, else the rank, the part and how many parts there are.
_LOW, _MIDDLE, _WHOLE = 2, 3, 6
_PART = struct.Struct("<IBB")

K = TypeVar("K")
V = TypeVar("V")


class Part(NamedTuple):
    """One provider id of a delivery: part ``number`` of ``parts``."""

    delivery_id: str
    number: int
    parts: int

    def __str__(self) -> str:
        """Return the form in which the first version stored it."""
        return f"{self.delivery_id} {self.number} {self.parts}"

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read the form of the first version."""
        delivery_id, number, parts = text.split(" ")
        return cls(delivery_id, int(number), int(parts))


class Generation(NamedTuple):
    """Generation ``number`` of a day: it has ``buckets``, and takes the ids from count ``first`` to ``end``."""

    number: int
    buckets: int
    first: int
    end: int

    @classmethod
    def at(cls, count: int) -> Generation:
        """Return the one that takes the next id when ``count`` are there."""
        found = cls(0, _BUCKETS, 0, _BUCKETS * _FULL)
        while count >= found.end:
            more = found.buckets * _GROWTH
            found = cls(found.number + 1, more, found.end, found.end + more * _FULL)
        return found


_FIRST = Generation.at(0)


class Name(NamedTuple):
    """What an id is found by: ``bits`` choose the bucket, ``field`` is its place there."""

    bits: int
    field: bytes

    @classmethod
    def of(cls, provider_id: str) -> Name:
        """Return the name of an id."""
        digest = hashlib.sha1(provider_id.encode(), usedforsecurity=False).digest()
        return cls(int.from_bytes(digest[:4], "little"), digest[4:11])


@dataclass(slots=True)
class _Batch:
    """Ids of one leg whose values have one width."""

    width: int
    ids: list[str] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)


class ProviderIds:
    """The map of provider ids; generations and numbers are remembered, and the scripts notice when they are wrong."""

    def __init__(self, connection: Connection) -> None:
        self._redis = connection
        self._generations: dict[tuple[str, int], Generation] = {}
        self._legs: dict[tuple[str, int, str], int] = {}

    async def register(
        self, keys: Partition, channel: str, ids: Mapping[str, Part], *, day: int, left: int, early: Sequence[str]
    ) -> dict[str, bytes]:
        """Remember ids for ``left`` seconds; returns the early receipts among them, from the two hashes ``early``.

        Raises:
            StoreUnavailable: Redis is away; registering again is harmless.
        """
        found: dict[str, bytes] = {}
        for leg_id, batch in _batches(ids):
            for start in range(0, len(batch.ids), _BATCH):
                cut = slice(start, start + _BATCH)
                some = _Batch(batch.width, batch.ids[cut], batch.values[cut])
                receipts = await self._register(keys, channel, leg_id, some, day=day, left=left, early=early)
                found.update((i, text) for i, text in zip(some.ids, receipts, strict=True) if text)
        return found

    async def _register(
        self, keys: Partition, channel: str, leg_id: str, batch: _Batch, *, day: int, left: int, early: Sequence[str]
    ) -> Sequence[bytes | None]:
        place = (channel, day, leg_id)
        while True:
            generation = self._generation(channel, day)
            buckets, which, fields = _placed(batch.ids, generation)
            names = [keys.id_count(channel, day), keys.id_legs(channel, day), *early, keys.whole_ids(channel, day)]
            names += [keys.ids(channel, day, generation.number, bucket) for bucket in buckets]
            number: int | str = self._legs.get(place, "")
            args: list[str | bytes | int] = [
                generation.first,
                generation.end,
                leg_id,
                number,
                batch.width,
                which,
                fields,
            ]
            args += [b"".join(batch.values), left, *batch.ids]
            # As a pipe of one: with so many arguments the way of single commands takes several times as long to pack.
            (reply,) = await self._redis.run_each("register", [names], args)
            if isinstance(reply, StoreUnavailable):
                raise reply
            count, *rest = reply
            self._learn(channel, day, int(count))
            if rest:
                _remember(self._legs, place, int(rest[0]))
                receipts: Sequence[bytes | None] = rest[1]
                return receipts

    async def find(self, keys: Partition, channel: str, provider_id: str, *, day: int) -> Part | None:
        """Return what an id registered on ``day`` or the three days before belongs to; None when it is not known.

        Raises:
            StoreUnavailable: Redis is away.
        """
        name = Name.of(provider_id)
        # Nearly every receipt comes on the day of its message.
        found = await self._find(keys, channel, provider_id, name, days=(day,))
        return found or await self._find(
            keys, channel, provider_id, name, days=range(day - 1, day - KEEP // DAY - 1, -1)
        )

    async def _find(
        self, keys: Partition, channel: str, provider_id: str, name: Name, *, days: Sequence[int]
    ) -> Part | None:
        while True:
            newest = [self._generation(channel, day).number for day in days]
            names = [
                key for day, last in zip(days, newest, strict=True) for key in _asked(keys, channel, day, last, name)
            ]
            args: list[str | bytes | int] = [name.field, provider_id, *(last + 1 for last in newest)]
            counts, *rest = await self._redis.run("find_id", names, args)
            for day, count in zip(days, counts, strict=True):
                self._learn(channel, day, int(count))
            # Where there are more generations than were asked, a newer word may stand there.
            if all(self._generation(channel, d).number <= last for d, last in zip(days, newest, strict=True)):
                return _part(rest[0], rest[1]) if rest else None

    def _generation(self, channel: str, day: int) -> Generation:
        """Return the generation that takes ids now, as far as is known."""
        return self._generations.get((channel, day), _FIRST)

    def _learn(self, channel: str, day: int, count: int) -> None:
        known = self._generation(channel, day)
        if not known.first <= count < known.end:
            _remember(self._generations, (channel, day), Generation.at(count))


def bucket_before(provider_id: str) -> int:
    """Return the bucket in which the first version kept an id."""
    return zlib.crc32(provider_id.encode()) % RECEIPT_BUCKETS


def _batches(ids: Mapping[str, Part]) -> Iterator[tuple[str, _Batch]]:
    """Yield ids by leg, and by the width of their values."""
    found: dict[tuple[str, int], _Batch] = {}
    for provider_id, (delivery_id, number, parts) in ids.items():
        leg_id, _, text = delivery_id.rpartition("-")
        rank = int(text)
        width = _WHOLE if parts > 1 or rank >> 24 else _MIDDLE if rank >> 16 else _LOW
        batch = found.get((leg_id, width))
        if batch is None:
            batch = found[leg_id, width] = _Batch(width)
        batch.ids.append(provider_id)
        batch.values.append(_PART.pack(rank, number, parts) if width == _WHOLE else rank.to_bytes(width, "little"))
    for (leg_id, _), batch in found.items():
        yield leg_id, batch


def _placed(ids: Sequence[str], generation: Generation) -> tuple[list[int], bytes, bytes]:
    """Return the buckets that are needed, which of these each id goes to (u16), and the fields."""
    mask, places = generation.buckets - 1, dict[int, int]()
    named = [Name.of(provider_id) for provider_id in ids]
    which = [places.setdefault(bits & mask, len(places)) for bits, _ in named]
    return list(places), struct.pack(f"<{len(which)}H", *which), b"".join([name for _, name in named])


def _asked(keys: Partition, channel: str, day: int, newest: int, name: Name) -> Iterator[str]:
    yield keys.id_count(channel, day)
    yield keys.id_legs(channel, day)
    yield keys.whole_ids(channel, day)
    for number in range(newest, -1, -1):
        yield keys.ids(channel, day, number, name.bits & (_BUCKETS * _GROWTH**number - 1))


def _part(leg_id: bytes, value: bytes) -> Part:
    if len(value) == _WHOLE:
        rank, number, parts = _PART.unpack(value)
        return Part(f"{leg_id.decode()}-{rank}", number, parts)
    return Part(f"{leg_id.decode()}-{int.from_bytes(value, 'little')}", 0, 1)


def _remember(known: dict[K, V], name: K, value: V) -> None:
    known[name] = value
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]
