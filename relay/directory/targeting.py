"""Targeting: who of the index an alert is for, and which info each of them reads; a pure decision (design §9, §18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relay.adapter import Kind
from relay.cap.area import geocode_key, shape_of
from relay.cap.language import best
from relay.cap.model import Alert, Info
from relay.cap.priority import severity_rank
from relay.directory.index import KINDS, SLOTS, Index, Ordinals

_GROUP = "group:"
#: An alert has few infos; more than this many are matched as if the rest were not there.
MOST_INFOS = 64


@dataclass(frozen=True, slots=True)
class Slots:
    """Deliveries of one kind, sorted: ordinals, address slots, and the info that each reads."""

    ordinals: NDArray[np.uint32]
    slots: NDArray[np.uint8]
    infos: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Found:
    """Matched recipients, ascending, and the number of the info that each of them reads."""

    index: Index
    ordinals: Ordinals
    infos: NDArray[np.uint16]

    def pairs(self, kind: Kind) -> Slots:
        """Return the addresses of a kind: all of them, or only of the recipient's first kind if he chose so."""
        kinds = self.index.kinds[self.ordinals]
        wanted = kinds == 1 + KINDS.index(kind)
        first = kinds[np.arange(len(kinds)), (kinds != 0).argmax(axis=1)] if len(kinds) else np.empty(0, np.uint8)
        wanted &= (~self.index.first_only[self.ordinals] | (first == 1 + KINDS.index(kind)))[:, None]
        rows, slots = np.nonzero(wanted)
        return Slots(self.ordinals[rows].astype(np.uint32), slots.astype(np.uint8), self.infos[rows])


def match(index: Index, alert: Alert, *, point_radius_km: float, drill: bool) -> Found:
    """Return who is to be told.

    A place is matched by polygon, circle or geocode of the same area (union); an info without any matches nobody.
    A Private or Restricted alert with addresses reaches those it names and nobody else, wherever they are.
    """
    infos = alert.info[:MOST_INFOS]
    named = _named(index, alert)
    masks = [_info_mask(index, info, point_radius_km=point_radius_km, drill=drill, named=named) for info in infos]
    if not masks:
        return Found(index, np.empty(0, np.int64), np.empty(0, np.uint16))
    ordinals = np.flatnonzero(np.logical_or.reduce(masks))
    bits = np.zeros(len(ordinals), np.uint64)
    for number, mask in enumerate(masks):
        bits |= mask[ordinals].astype(np.uint64) << np.uint64(number)
    return Found(index, ordinals, _chosen(index, ordinals, bits, infos))


def _named(index: Index, alert: Alert) -> NDArray[np.bool_] | None:
    """Return who is named by ``addresses`` of an alert that is not public; None: it is for a place."""
    if alert.scope == "Public" or not alert.addresses:
        return None
    mask = np.zeros(index.span, bool)
    groups = [a.removeprefix(_GROUP) for a in alert.addresses if a.startswith(_GROUP)]
    mask[index.groups.find(groups)] = True
    mask[index.names.find([a for a in alert.addresses if not a.startswith(_GROUP)])] = True
    return mask


def _info_mask(
    index: Index, info: Info, *, point_radius_km: float, drill: bool, named: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    able = index.alive & (index.severity <= severity_rank(info.severity))
    able &= (index.hazards & index.hazard_mask(info.category)) != 0
    if drill:
        able &= index.drills
    if named is not None:
        return able & named
    return able & _placed(index, info, able, point_radius_km)


def _placed(index: Index, info: Info, able: NDArray[np.bool_], point_radius_km: float) -> NDArray[np.bool_]:
    mask = np.zeros(index.span, bool)
    codes = {geocode_key(g.value_name, g.value) for area in info.area for g in area.geocodes}
    mask[index.geocodes.find(codes)] = True
    shape = shape_of(info.area, point_radius_km=point_radius_km)
    if not shape.is_empty:
        places = np.flatnonzero(able & ~np.isnan(index.lat) & ~mask)
        mask[places] |= shape.contains(index.lat[places], index.lon[places])
    return mask


def _chosen(index: Index, ordinals: Ordinals, bits: NDArray[np.uint64], infos: Sequence[Info]) -> NDArray[np.uint16]:
    """Return the info of each recipient: his first language, then the highest severity, then document order.

    People with the same languages in the same areas read the same, so each such group is decided once.
    """
    groups = np.stack([bits, index.languages[ordinals].astype(np.uint64)], axis=1)
    kinds, where = np.unique(groups, axis=0, return_inverse=True)
    table = np.array(
        [_choose(int(matched), index.language_lists[int(languages)], infos) for matched, languages in kinds], np.uint16
    )
    return table[where.ravel()] if len(table) else np.empty(0, np.uint16)


def _choose(matched: int, wanted: Sequence[str], infos: Sequence[Info]) -> int:
    candidates = [number for number in range(len(infos)) if matched >> number & 1]
    # The sort is stable, so document order decides between infos of the same severity.
    candidates.sort(key=lambda number: -severity_rank(infos[number].severity))
    found = best([infos[number].language for number in candidates], wanted)
    return candidates[found if found is not None else 0]


__all__ = ["SLOTS", "Found", "Slots", "match"]
