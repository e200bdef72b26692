"""Provider ids in Redis: which delivery a receipt or a reply is about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from relay.clock import Clock, SystemClock
from relay.store.connection import Connection
from relay.store.partitions import Keys
from relay.store.provider_ids import DAY, KEEP, Part, ProviderIds, bucket_before

__all__ = ["Part", "Previews", "ReceiptStore"]

#: Early receipts are kept for an hour.
KEEP_EARLY = 3600
KEEP_OPEN = 24 * 3600
_HOUR = 3600
#: So many words may wait for the archive; the oldest go first.
MOST_LATE = 100_000


class ReceiptStore:
    """Receipts may overtake the response that names their id: those wait here until it is registered."""

    def __init__(self, connection: Connection, keys: Keys, *, clock: Clock | None = None) -> None:
        self._redis = connection
        self._clock = clock or SystemClock()
        self._ids = ProviderIds(connection)
        self.keys = keys

    async def register(self, channel: str, ids: Mapping[str, Part]) -> dict[str, str]:
        """Remember provider ids; returns the receipts (as given to :meth:`find`) that came before."""
        keys, day, hour = self.keys.of_name(channel), self._now(DAY), self._now(_HOUR)
        early = (keys.early_receipts(channel, hour), keys.early_receipts(channel, hour - 1))
        # All that belongs to a day ends at one time, so that no id outlives the list that says what it means.
        left = (day + 1) * DAY + KEEP - int(self._clock.time())
        found = await self._ids.register(keys, channel, ids, day=day, left=left, early=early)
        return {i: text.decode() for i, text in found.items()}

    async def find(self, channel: str, provider_id: str, receipt: str) -> Part | None:
        """Return what a provider id belongs to; None: not known yet, the receipt (text) is kept for an hour."""
        found = await self._find(channel, provider_id)
        if found is None:
            early = self.keys.of_name(channel).early_receipts(channel, self._now(_HOUR))
            await self._redis.pipe([("HSET", early, provider_id, receipt), ("EXPIRE", early, KEEP_EARLY + _HOUR)])
            # Registering reads early receipts after it wrote: one of the two always sees the other.
            found = await self._find(channel, provider_id)
        return found

    async def _find(self, channel: str, provider_id: str) -> Part | None:
        found = await self._ids.find(self.keys.of_name(channel), channel, provider_id, day=self._now(DAY))
        return found or await self._former(channel, provider_id)

    async def _former(self, channel: str, provider_id: str) -> Part | None:
        """Look where the first version kept ids."""
        today, bucket = self._now(DAY), bucket_before(provider_id)
        days = range(today, today - KEEP // DAY - 1, -1)
        keys = self.keys.of_name(channel)
        asked = [keys.provider_ids(channel, bucket, day) for day in days]
        found = await self._redis.pipe([("HGET", key, provider_id) for key in asked])
        return next((Part.parse(text.decode()) for text in found if text is not None), None)

    def _now(self, length: int) -> int:
        """Return the number of the present day or hour, of ``length`` seconds."""
        return int(self._clock.time()) // length

    async def arrived(self, part: Part) -> int:
        """Note that a part was delivered; returns how many of its delivery have been."""
        key = self.keys.of_leg(part.delivery_id).parts(part.delivery_id)
        _, count, _ = await self._redis.pipe([("SADD", key, part.number), ("SCARD", key), ("EXPIRE", key, KEEP)])
        return int(count)

    async def opened(self, addresses: Mapping[str, str], *, seconds: int = KEEP_OPEN) -> None:
        """Remember the newest delivery sent to each address, for replies: address → delivery id."""
        await self._redis.pipe(
            [("SET", self._open(address), delivery_id, "EX", seconds) for address, delivery_id in addresses.items()]
        )

    async def late(self, word: str) -> None:
        """Keep a word about a delivery whose leg is not here, for the node that archived it."""
        await self._redis.pipe([("RPUSH", self.keys.first.late, word), ("LTRIM", self.keys.first.late, -MOST_LATE, -1)])

    async def late_words(self, *, first: int, most: int) -> list[str]:
        """Return words that wait, the oldest first."""
        found = await self._redis.call("LRANGE", self.keys.first.late, first, first + most - 1)
        return [word.decode() for word in found]

    async def taken(self, word: str) -> None:
        """Forget a late word: it was written down, or nobody wants it."""
        await self._redis.call("LREM", self.keys.first.late, 1, word)

    async def newest(self, address: str) -> str:
        """Return the newest delivery id sent to an address in the last day, or an empty string."""
        return (await self._redis.call("GET", self._open(address)) or b"").decode()

    def _open(self, address: str) -> str:
        name = _hashed(address)
        return self.keys.of_name(name).open_alerts(name)


class Previews:
    """Dry runs: the API asks, a worker plans and answers."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._redis = connection
        self.keys = keys.first

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


def _hashed(address: str) -> str:
    """Return a short name of an address: addresses are no keys, since keys are seen in many places."""
    return hashlib.sha256(address.encode()).hexdigest()[:24]
