"""Receipts and replies: the provider's later word, and the responder's, find their delivery."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import orjson

from relay.adapter import Receipt, Verdict
from relay.clock import Clock
from relay.errors import StoreUnavailable
from relay.fanout.ids import DeliveryRef
from relay.store.cursor import Cursor
from relay.store.receipts import Part, ReceiptStore
from relay.tracking.lately import Lately
from relay.tracking.reasons import code_of
from relay.tracking.states import Flag, Record, State
from relay.tracking.writes import Place, Writes


def provider_hash(provider_id: str) -> int:
    """Return the 32 bits of a provider's id that a record keeps."""
    return zlib.crc32(provider_id.encode()) or 1


@dataclass(frozen=True, slots=True)
class _Word:
    verdict: Verdict
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class LateWord:
    """What is known of a delivery that is not here: its end, and when (seconds since the epoch)."""

    state: State
    at: float
    reason: int = 0
    answer: int = 0

    def record(self, place: Place) -> Record:
        """Return the record that says so; its times count from the beginning of the leg."""
        at = max(place.centi(self.at), 1)
        if self.state is State.ACKNOWLEDGED:
            late = Flag.LATE_ANSWER if place.over(self.at) else Flag(0)
            return Record(state=self.state, answer=self.answer, due=at, flags=late)
        return Record(state=self.state, ended=at, reason=self.reason)

    def pack(self, ref: DeliveryRef) -> str:
        """Return the text under which it waits."""
        return orjson.dumps([str(ref), int(self.state), self.at, self.reason, self.answer]).decode()

    @classmethod
    def unpack(cls, text: str) -> tuple[DeliveryRef | None, LateWord]:
        """Read what :meth:`pack` wrote."""
        delivery, state, at, reason, answer = orjson.loads(text)
        return DeliveryRef.parse(delivery), cls(State(state), at, reason, answer)


class Receipts:
    """Applies receipts, whenever they come: before the response that names their id, twice, or days later.

    ``lately`` remembers them for a moment, where somebody repeats them after a loss.
    """

    def __init__(self, store: ReceiptStore, writes: Writes, *, clock: Clock, lately: Lately | None = None) -> None:
        self._store = store
        self._writes = writes
        self._clock = clock
        self._lately = lately

    async def register(self, channel: str, ids: Mapping[str, Part]) -> list[tuple[Part, str]]:
        """Make provider ids known; returns the early receipts among them, to be given to :meth:`early` once settled.

        Raises:
            StoreUnavailable: Redis is away.
        """
        found = await self._store.register(channel, ids)
        if self._lately is not None:
            self._lately.note(partial(self._register_again, channel, ids))
        return [(ids[provider_id], text) for provider_id, text in found.items()]

    async def _register_again(self, channel: str, ids: Mapping[str, Part]) -> None:
        for provider_id, text in (await self._store.register(channel, ids)).items():
            await self.early(ids[provider_id], text)

    async def early(self, part: Part, text: str) -> None:
        """Apply a receipt that had come before its delivery was settled."""
        word = orjson.loads(text)
        await self._take(part, _Word(Verdict(word["verdict"]), word["reason"], word["at"]))

    async def receive(self, channel: str, receipt: Receipt) -> bool:
        """Apply a receipt; False when its delivery is not known (yet).

        Raises:
            StoreUnavailable: Redis is away.
        """
        at = receipt.at.timestamp() if receipt.at is not None else self._clock.time()
        word = _Word(receipt.verdict, receipt.reason, at)
        if receipt.delivery_id:
            part: Part | None = Part(receipt.delivery_id, 0, 1)
        else:
            text = orjson.dumps({"verdict": word.verdict, "reason": word.reason, "at": word.at}).decode()
            part = await self._store.find(channel, receipt.provider_id, text)
            if part is None and self._lately is not None:
                self._lately.note(partial(self._find_again, channel, receipt.provider_id, text))
        if part is None:
            return False
        await self._take(part, word)
        return True

    async def _find_again(self, channel: str, provider_id: str, text: str) -> None:
        part = await self._store.find(channel, provider_id, text)
        if part is not None:
            await self.early(part, text)

    async def sent(self, addresses: Mapping[str, str]) -> None:
        """Remember what was sent last to each address: address → delivery id."""
        await self._store.opened(addresses)
        if addresses and self._lately is not None:
            self._lately.note(partial(self._store.opened, addresses))

    async def answer(self, address: str, text: str) -> bool:
        """Take a reply: a digit acknowledges the newest open alert for that address; False for anything else."""
        digit = text.strip()[:1]
        delivery_id = await self._store.newest(address) if digit.isascii() and digit.isdecimal() else ""
        ref = DeliveryRef.parse(delivery_id) if delivery_id else None
        if ref is None or digit == "0":
            return False
        await self._say(ref, LateWord(State.ACKNOWLEDGED, self._clock.time(), answer=int(digit)))
        return True

    async def acknowledge(self, ref: DeliveryRef, answer: int) -> bool:
        """Record a responder's answer (1–9); False when the delivery is not known.

        Raises:
            StoreUnavailable: Redis is away.
        """
        place = await self._writes.leg(ref)
        word = LateWord(State.ACKNOWLEDGED, self._clock.time(), answer=answer)
        return place is not None and await self._writes.write(place, word.record(place))

    async def _take(self, part: Part, word: _Word) -> None:
        ref = DeliveryRef.parse(part.delivery_id)
        if ref is None:
            return
        at, reason = min(word.at, self._clock.time()), code_of(word.reason)
        if word.verdict is Verdict.REJECTED:
            await self._say(ref, LateWord(State.FAILED, at, reason=reason))
        elif word.verdict is Verdict.DELIVERED:
            if await self._whole(part):
                await self._say(ref, LateWord(State.DELIVERED, at, reason=reason))
            elif self._lately is not None:
                self._lately.note(partial(self._take, part, word))

    async def _say(self, ref: DeliveryRef, word: LateWord) -> None:
        place = await self._writes.leg(ref)
        if place is None or not await self._writes.write(place, word.record(place)):
            await self._late(ref, word)
        elif self._lately is not None:
            self._lately.note(partial(self._say_again, ref, word, place.leg.cursor))

    async def _say_again(self, ref: DeliveryRef, word: LateWord, then: Cursor) -> None:
        """Write a word once more, unless its leg was planned again for others: whose rank is it now?"""
        place = await self._writes.leg(ref)
        if place is None:
            raise StoreUnavailable("its leg is not back yet")
        if place.leg.cursor.same_people(then) and not await self._writes.write(place, word.record(place)):
            raise StoreUnavailable("its leg has gone again")

    async def _late(self, ref: DeliveryRef, word: LateWord) -> None:
        """Leave a word for the node that archived its alert, or until its leg has come back after a loss."""
        await self._store.late(word.pack(ref))

    async def _whole(self, part: Part) -> bool:
        """Whether every part of the message has arrived now."""
        return part.parts == 1 or await self._store.arrived(part) >= part.parts
