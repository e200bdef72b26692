"""Chunks: leased, settled by batch, renewed; the hot path of the engine."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.store.chunk import Chunk
from relay.store.connection import Connection
from relay.store.keys import CLASSES, Partition
from relay.store.lookout import AWAY, FLOOR, Lookout
from relay.store.partitions import Keys
from relay.store.settlement import Settled, Settlement, from_script, to_script


@dataclass(frozen=True, slots=True)
class Nothing:
    """No chunk now: come back in ``wait`` seconds at the latest; ``fenced`` while a recovery keeps leases back."""

    wait: float
    fenced: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """The answer to a claim: what was found first, and ``more`` that came with it.

    ``epoch`` changes when the partition was emptied and filled again; ``place`` is the partition that was asked, None
    where there is only one.
    """

    found: Chunk | Nothing
    epoch: str
    place: int | None = None
    more: Sequence[Chunk] = ()


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a claim asks for, as the script takes it; ``count`` of them at once."""

    token: str
    count: int
    most: int
    lease_ms: int
    flash_ms: int
    fence_ms: int
    lowest: int


#: Nothing in the partition that was asked: perhaps in another.
_AGAIN = Nothing(0.0, fenced=False)


class Chunks:
    """Claimable work, wherever it is."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._redis = connection
        self.keys = keys
        self._lookouts: defaultdict[str, Lookout] = defaultdict(lambda: Lookout(len(keys.all)))

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
        count: int = 1,
    ) -> Claimed:
        """Lease up to ``count`` chunks of ``lane``: the worst news first (``urgent``: only P0 and P1).

        Of several partitions one is asked at a time, that with the worst news as far as known: nothing found there
        means to claim again at once, and its ``epoch`` is empty when it is away.

        Raises:
            StoreUnavailable: Redis is away.
        """
        terms = _Terms(token, count, most, lease_ms, flash_ms, fence_ms, 2 if urgent else len(CLASSES))
        if isinstance(self.keys, Partition):
            return (await self._claim(self.keys, lane, terms, floor=FLOOR))[0]
        lookout, now = self._lookouts[lane], time.monotonic()
        look = lookout.next(now, lowest=terms.lowest)
        if look is None:
            return Claimed(Nothing(lookout.rest(now), fenced=False), "")
        try:
            claimed, waiting = await self._claim(self.keys.all[look.place], lane, terms, floor=look.floor)
        except StoreUnavailable:
            lookout.found(look.place, waiting=0, look_at=now + AWAY)
            return Claimed(_AGAIN, "", look.place)
        if isinstance(claimed.found, Chunk):
            # More may be due there by the time that this lease is over.
            lookout.found(look.place, waiting=waiting, look_at=now + lease_ms / 1000)
            return claimed
        lookout.nothing(look.place, lowest=terms.lowest, look_at=now + claimed.found.wait)
        return Claimed(_AGAIN, claimed.epoch, look.place)

    def work_in(self, lane: str, place: int) -> None:
        """Look for work in a partition at the next claim: its bell rang, or a chunk of it came back."""
        self._lookouts[lane].rang(place)

    async def _claim(self, keys: Partition, lane: str, t: _Terms, *, floor: int) -> tuple[Claimed, int]:
        """Claim in one partition; returns also a bit for each class that waits there afterwards."""
        names = [keys.legs, keys.turn(lane), keys.run, keys.tokens, keys.checks]
        names += [keys.ready(lane, c) for c in CLASSES]
        names += [keys.leases(lane, c) for c in CLASSES]
        names += [keys.retries(lane, c) for c in CLASSES]
        tell = int(len(self.keys.all) > 1)
        args: list[str | int] = [t.token, t.fence_ms, t.most, t.lease_ms, t.flash_ms, t.lowest, floor, tell]
        args.append(self._redis.ground)
        # Each of them decides anew what comes first.
        replies = await self._redis.run_many("claim", [(names, args)] * t.count)
        place = keys.number if tell else None
        granted = [reply for reply in replies if not isinstance(reply, StoreUnavailable) and reply[0] == b"chunk"]
        if granted:
            found, *more = (_chunk(reply, token=t.token, lane=lane) for reply in granted)
            return Claimed(found, _text(granted[-1][7]), place, more), int(granted[-1][9]) if tell else 0
        if isinstance(replies[0], StoreUnavailable):
            raise replies[0]
        word, wait, epoch = replies[0]
        return Claimed(Nothing(int(wait) / 1000, word == b"fence"), _text(epoch), place), 0

    async def settle(self, s: Settlement) -> Settled | None:
        """Record outcomes; None when the leg that the chunk was claimed of is not here any more.

        The store was emptied then; the leg may have been planned again, with other people at the same positions.

        Raises:
            StoreUnavailable: Redis is away; settling again is harmless.
        """
        (settled,) = await self.settle_many([s])
        if isinstance(settled, StoreUnavailable):
            raise settled
        return settled

    async def settle_many(self, settlements: Sequence[Settlement]) -> list[Settled | StoreUnavailable | None]:
        """Record outcomes of several chunks in one round trip; see :meth:`settle`.

        Raises:
            StoreUnavailable: no server can be reached.
        """
        replies = await self._redis.run_many("settle", [to_script(self.keys, s) for s in settlements])
        return [reply if isinstance(reply, StoreUnavailable) else from_script(reply) for reply in replies]

    async def renew(self, chunks: Sequence[Chunk], *, lease_ms: int, flash_ms: int) -> list[int]:
        """Extend leases; returns each leg's flags, −1 where the lease was lost.

        Of several partitions those that are away are left as they are: their flags are 0.
        """
        if not chunks:
            return []
        if isinstance(self.keys, Partition):
            return await self._renew(self.keys, chunks, lease_ms, flash_ms)
        places: dict[Partition, list[int]] = {}
        for number, chunk in enumerate(chunks):
            places.setdefault(self.keys.of_leg(chunk.leg_id), []).append(number)
        flags = [0] * len(chunks)

        async def some(keys: Partition, mine: Sequence[int]) -> None:
            with suppress(StoreUnavailable):
                found = await self._renew(keys, [chunks[n] for n in mine], lease_ms, flash_ms)
                for number, flag in zip(mine, found, strict=True):
                    flags[number] = flag

        # Side by side: one that does not answer must not cost the others their leases.
        async with asyncio.TaskGroup() as tasks:
            for keys, mine in places.items():
                tasks.create_task(some(keys, mine))
        return flags

    async def _renew(self, keys: Partition, chunks: Sequence[Chunk], lease_ms: int, flash_ms: int) -> list[int]:
        names = [keys.legs, keys.tokens, *(keys.leases(c.lane, c.klass) for c in chunks)]
        args: list[str | int] = []
        for chunk in chunks:
            args += [chunk.member, chunk.token, flash_ms if chunk.klass is Class.P0 else lease_ms]
        return [int(flags) for flags in await self._redis.run("renew", names, args)]


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
