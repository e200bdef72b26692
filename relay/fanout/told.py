"""Told: who was reached, or may have been, by the legs of earlier alerts: the audience of a cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from relay.adapter import Kind
from relay.fanout.coverage import Range, states_of
from relay.fanout.plan import Pairs
from relay.fanout.segment import Segment
from relay.store.cursor import AGAIN
from relay.store.legs import Leg, Legs
from relay.tracking.states import RECORD_BYTES, TOLD, Flag

_TOLD = np.array(sorted(TOLD), np.uint8)
_FLAGS = 5  # the byte of a record that holds its flags


@dataclass(frozen=True, slots=True)
class Look:
    """Deliveries that were told, by the alert whose infos they read and by kind; and ranges that are still leased."""

    told: Mapping[tuple[str, Kind], Pairs]
    waits: Mapping[str, Sequence[Range]]


def records_of(records: bytes, size: int) -> NDArray[np.uint8]:
    """Return the bytes of each record as a row; zeros where nothing was written."""
    return np.frombuffer(records.ljust(size * RECORD_BYTES, b"\0"), np.uint8).reshape(size, RECORD_BYTES)


def told_in(
    segment: Segment, records: bytes, *, only: Sequence[Range] | None, leased: Sequence[Range], again: bool = False
) -> Pairs:
    """Return who of a segment was told.

    Ranges that are leased are left out: their outcome is not known yet.  ``only`` limits the look to ranges that were
    leased last time, None looks at all.  ``again``: the leg was planned anew after a loss, so whoever it has not
    reached may have been told before that.
    """
    states = states_of(records, len(segment))
    # In doubt: some hand-over ended without an answer, whatever was tried or decided after it.
    doubts = records_of(records, len(segment))[:, _FLAGS] & Flag.IN_DOUBT
    mask = np.isin(states, _TOLD) | (doubts != 0) | again
    if only is not None:
        inside = np.zeros(len(segment), bool)
        for part in only:
            inside[part.first : part.last] = True
        mask &= inside
    for part in leased:
        mask[part.first : part.last] = False
    return Pairs(segment.ordinals[mask], segment.slots[mask], segment.variants[mask])


class Audiences:
    """Reads the records of earlier legs."""

    def __init__(self, legs: Legs) -> None:
        self._legs = legs

    async def look(self, leg_ids: Sequence[str], *, waits: Mapping[str, Sequence[Range]] | None) -> Look:
        """Look at legs that were stopped: who was told, and what has to be looked at again.

        ``waits`` is what the last look left; None for the first.

        Raises:
            StoreUnavailable: Redis is away.
        """
        told: dict[tuple[str, Kind], Pairs] = {}
        again: dict[str, list[Range]] = {}
        for leg in await self._legs.get_many(leg_ids if waits is None else list(waits)):
            if leg is None:
                continue
            only = None if waits is None else waits[leg.leg_id]
            pairs, leased = await self._leg(leg, only)
            if leased:
                again[leg.leg_id] = leased
            key = (leg.facts.get("variants_of") or leg.facts["alert"], Kind(leg.facts["kind"]))
            told[key] = _both(told.get(key), pairs)
        return Look(told, again)

    async def _leg(self, leg: Leg, only: Sequence[Range] | None) -> tuple[Pairs, list[Range]]:
        members, _ = await self._legs.covered(leg)
        # Leased ranges are read before the records: whatever ends in between has its outcome in them.
        leased = [Range.of(member) for member in members]
        if only is not None:
            leased = [part for part in leased if any(_overlap(part, old) for old in only)]
        found = []
        for number, size in enumerate(leg.cursor.sizes):
            mine = None if only is None else [part for part in only if part.segment == number]
            if mine == []:
                continue
            segment = await self._legs.segment(leg.leg_id, number)
            if segment is None:
                continue
            records = await self._legs.records(leg.leg_id, number, first=0, last=size)
            here = [part for part in leased if part.segment == number]
            again = bool(leg.cursor.flags & AGAIN)
            found.append(told_in(segment, records, only=mine, leased=here, again=again))
        return _all(found), leased


def pack_waits(waits: Mapping[str, Sequence[Range]]) -> str:
    """Return what is left to look at as text; empty for nothing."""
    if not waits:
        return ""
    return orjson.dumps({leg: [(r.segment, r.first, r.last) for r in ranges] for leg, ranges in waits.items()}).decode()


def read_waits(text: str) -> dict[str, list[Range]]:
    """Read what :func:`pack_waits` wrote."""
    return {leg: [Range(*r) for r in ranges] for leg, ranges in orjson.loads(text).items()} if text else {}


def _overlap(a: Range, b: Range) -> bool:
    return a.segment == b.segment and a.first < b.last and b.first < a.last


def _all(parts: Sequence[Pairs]) -> Pairs:
    if not parts:
        return Pairs(np.empty(0, np.uint32), np.empty(0, np.uint8), np.empty(0, np.uint16))
    return Pairs(
        np.concatenate([p.ordinals for p in parts]),
        np.concatenate([p.slots for p in parts]),
        np.concatenate([p.infos for p in parts]),
    )


def _both(a: Pairs | None, b: Pairs) -> Pairs:
    return b if a is None else _all([a, b])
