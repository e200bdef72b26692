"""Plan: from an alert and its audience to legs; a pure decision (design §9)."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from relay.adapter import Class, Kind
from relay.cap.language import best
from relay.cap.lifetime import alert_expires, expires
from relay.cap.model import Alert, Info
from relay.cap.priority import alert_class, classify
from relay.fanout.ids import leg_id
from relay.fanout.segment import Segment, segments

_ORDER = {klass: rank for rank, klass in enumerate(Class)}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Deliveries of one kind, sorted by ordinal and slot: (ordinal, address slot, info index) arrays."""

    ordinals: NDArray[np.uint32]
    slots: NDArray[np.uint8]
    infos: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.ordinals)

    def where(self, mask: NDArray[np.bool_]) -> Pairs:
        """Return the deliveries that ``mask`` names."""
        return Pairs(self.ordinals[mask], self.slots[mask], self.infos[mask])

    @property
    def keys(self) -> NDArray[np.uint64]:
        """One number for each (ordinal, slot)."""
        return self.ordinals.astype(np.uint64) * np.uint64(8) + self.slots


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLeg:
    """A leg before it is stored; ``variants_of`` is the alert whose infos its variants count in."""

    leg_id: str
    kind: Kind
    round_number: int
    klass: Class
    expires: datetime
    variants_of: str
    segments: tuple[Segment, ...]

    @property
    def total(self) -> int:
        """The number of deliveries."""
        return sum(len(segment) for segment in self.segments)

    @property
    def people(self) -> int:
        """A byte of a digest of who is behind its ranks, never 0."""
        digest = 0
        for segment in self.segments:
            digest = zlib.crc32(segment.slots.tobytes(), zlib.crc32(segment.ordinals.tobytes(), digest))
        return digest % 255 + 1

    def pack(self) -> list[bytes]:
        """Return the stored form of its segments."""
        return [segment.pack() for segment in self.segments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What all legs of an alert share: ``klass`` and ``expires`` are those that intake decided."""

    alert_id: str
    alert: Alert
    klass: Class
    expires: datetime
    assumed_hours: float
    flash_events: Collection[str]
    partition: int = 0


def plan(frame: Frame, audience: Mapping[Kind, Pairs]) -> list[PlannedLeg]:
    """Return one leg for each kind, class and end: the info that matched a person decides all three."""
    ways = [_way(frame, info) for info in frame.alert.info]
    order = sorted(set(ways), key=lambda way: (_ORDER[way[0]], way[1]))
    legs = []
    for kind, pairs in audience.items():
        for round_number, (klass, ends) in enumerate(order):
            members = np.array([way == (klass, ends) for way in ways])
            chosen = pairs.where(members[pairs.infos]) if len(pairs) else pairs
            if len(chosen):
                legs.append(
                    PlannedLeg(
                        leg_id=_leg_id(frame, kind, round_number),
                        kind=kind,
                        round_number=round_number,
                        klass=klass,
                        expires=ends,
                        variants_of=frame.alert_id,
                        segments=tuple(segments(chosen.ordinals, chosen.slots, chosen.infos)),
                    )
                )
    return legs


def notice(frame: Frame, told: Mapping[Kind, Pairs], *, round_number: int, variants_of: str) -> list[PlannedLeg]:
    """Return the legs of a cancel notice for those who were told; their variants are given."""
    return [
        PlannedLeg(
            leg_id=_leg_id(frame, kind, round_number),
            kind=kind,
            round_number=round_number,
            klass=frame.klass,
            expires=frame.expires,
            variants_of=variants_of,
            segments=tuple(segments(pairs.ordinals, pairs.slots, pairs.infos)),
        )
        for kind, pairs in told.items()
        if len(pairs)
    ]


def translate(old: Sequence[Info], new: Sequence[Info]) -> NDArray[np.uint16]:
    """Return, for each info of the old alert, the info of the new one in the nearest language."""
    languages = [info.language for info in new]
    table = []
    for info in old:
        found = best(languages, [info.language])
        table.append(found if found is not None else 0)
    return np.array(table or [0], np.uint16)


def without(pairs: Pairs, seen: NDArray[np.uint64]) -> Pairs:
    """Return the deliveries that are not among ``seen`` (see :attr:`Pairs.keys`): nobody is told twice."""
    return pairs.where(~np.isin(pairs.keys, seen)) if len(seen) else pairs


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Return several sets of deliveries as one, sorted; the first mention of a delivery counts."""
    ordinals = np.concatenate([p.ordinals for p in parts]).astype(np.uint32)
    slots = np.concatenate([p.slots for p in parts]).astype(np.uint8)
    infos = np.concatenate([p.infos for p in parts]).astype(np.uint16)
    keys = ordinals.astype(np.uint64) * np.uint64(8) + slots
    _, first = np.unique(keys, return_index=True)
    return Pairs(ordinals[first], slots[first], infos[first])


def _leg_id(frame: Frame, kind: Kind, round_number: int) -> str:
    return leg_id(frame.alert_id, kind=kind, round_number=round_number, partition=frame.partition)


def _way(frame: Frame, info: Info) -> tuple[Class, datetime]:
    raised = frame.klass is not alert_class(frame.alert, flash_events=frame.flash_events)
    klass = frame.klass if raised else classify(frame.alert, info, flash_events=frame.flash_events)
    stated = alert_expires(frame.alert, assumed_hours=frame.assumed_hours).at
    shift: timedelta = frame.expires - stated
    return klass, expires(frame.alert, info, assumed_hours=frame.assumed_hours).at + shift
