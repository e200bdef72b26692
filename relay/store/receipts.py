"""Provider ids in Redis: which delivery a receipt or a reply is about."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.store.connection import Connection
from relay.store.keys import RECEIPT_BUCKETS, Partition

#: Provider ids are kept for three days; early receipts for an hour.
KEEP = 72 * 3600
KEEP_EARLY = 3600
KEEP_OPEN = 24 * 3600


@dataclass(frozen=True, slots=True)
class Part:
    """One provider id of a delivery: part ``number`` of ``parts``."""

    delivery_id: str
    number: int
    parts: int

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.number} {self.parts}"

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read the stored form."""
        delivery_id, number, parts = text.split(" ")
        return cls(delivery_id, int(number), int(parts))


class ReceiptStore:
    """Receipts may overtake the response that names their id: those wait here until it is registered."""

    def __init__(self, connection: Connection, partition: Partition) -> None:
        self._redis = connection
        self.keys = partition

    async def register(self, channel: str, ids: Mapping[str, Part]) -> dict[str, str]:
        """Remember provider ids; returns the receipts (as given to :meth:`find`) that came before."""
        commands: list[tuple[str | int, ...]] = []
        for provider_id, part in ids.items():
            key = self.keys.provider_ids(channel, _bucket(provider_id))
            commands += [("HSET", key, provider_id, str(part)), ("EXPIRE", key, KEEP)]
        await self._redis.pipe(commands)
        # Read after writing: find() writes after reading, so one of the two always sees the other.
        early = await self._redis.pipe([("HGET", self.keys.early_receipts(channel, _bucket(i)), i) for i in ids])
        return {i: text.decode() for i, text in zip(ids, early, strict=True) if text}

    async def find(self, channel: str, provider_id: str, receipt: str) -> Part | None:
        """Return what a provider id belongs to; None: not known yet, the receipt (text) is kept for an hour."""
        bucket = _bucket(provider_id)
        key, early = self.keys.provider_ids(channel, bucket), self.keys.early_receipts(channel, bucket)
        found, *_ = await self._redis.pipe([("HGET", key, provider_id)])
        if found is None:
            await self._redis.pipe([("HSET", early, provider_id, receipt), ("EXPIRE", early, KEEP_EARLY)])
            found, *_ = await self._redis.pipe([("HGET", key, provider_id)])
        return Part.parse(found.decode()) if found is not None else None

    async def arrived(self, part: Part) -> int:
        """Note that a part was delivered; returns how many of its delivery have been."""
        key = self.keys.parts(part.delivery_id)
        _, count, _ = await self._redis.pipe([("SADD", key, part.number), ("SCARD", key), ("EXPIRE", key, KEEP)])
        return int(count)

    async def opened(self, addresses: Mapping[str, str], *, seconds: int = KEEP_OPEN) -> None:
        """Remember the newest delivery sent to each address, for replies: address → delivery id."""
        await self._redis.pipe(
            [
                ("SET", self.keys.open_alerts(_hashed(a)), delivery_id, "EX", seconds)
                for a, delivery_id in addresses.items()
            ]
        )

    async def newest(self, address: str) -> str:
        """Return the newest delivery id sent to an address in the last day, or an empty string."""
        return (await self._redis.call("GET", self.keys.open_alerts(_hashed(address))) or b"").decode()


class Previews:
    """Dry runs: the API asks, a worker plans and answers."""

    def __init__(self, connection: Connection, partition: Partition) -> None:
        self._redis = connection
        self.keys = partition

    async def ask(self, request_id: str, request: bytes, *, seconds: float) -> bytes | None:
        """Ask for a preview; None when no worker answered in time."""
        await self._redis.pipe([("LPUSH", self.keys.previews, request), ("EXPIRE", self.keys.previews, 60)])
        key = self.keys.preview(request_id)
        reply: Sequence[bytes] | None = await self._redis.block("BLPOP", key, seconds, timeout=seconds + 2)
        return reply[1] if reply else None

    async def take(self, *, seconds: float) -> bytes | None:
        """Wait up to ``seconds`` for a request."""
        reply: Sequence[bytes] | None = await self._redis.block(
            "BRPOP", self.keys.previews, seconds, timeout=seconds + 2
        )
        return reply[1] if reply else None

    async def answer(self, request_id: str, answer: bytes) -> None:
        """Answer a request."""
        key = self.keys.preview(request_id)
        await self._redis.pipe([("LPUSH", key, answer), ("EXPIRE", key, 60)])


def _bucket(provider_id: str) -> int:
    return zlib.crc32(provider_id.encode()) % RECEIPT_BUCKETS


def _hashed(address: str) -> str:
    """Return a short name of an address: addresses are no keys, since keys are seen in many places."""
    return hashlib.sha256(address.encode()).hexdigest()[:24]
