"""Targeting: who of the index an alert is for, and which info each of them reads; a pure decision (design §9, §18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from relay.adapter import Kind
from relay.cap.area import shape_of
from relay.cap.language import best
from relay.cap.model import Alert, Area, Info
from relay.cap.priority import severity_rank
from relay.directory.columns import Columns, Mask, Ordinals
from relay.directory.index import Index, hazard_mask, slots_of

_GROUP: Final = "group:"
_DENIALS: Final = 256
_FEW: Final = 1 << 16  # combinations that are always worth a table


@dataclass(frozen=True, slots=True)
class Slots:
    """Deliveries of one kind, sorted: ordinals, address slots, and the info that each reads."""

    ordinals: NDArray[np.uint32]
    slots: NDArray[np.uint8]
    infos: NDArray[np.uint16]


@dataclass(frozen=True)
class Found:
    """Matched recipients, ascending, and the number of the info that each of them reads.

    Valid until the index changes.
    """

    index: Index
    ordinals: Ordinals
    infos: NDArray[np.uint16]

    def pairs(self, kind: Kind, *, round_number: int = 0) -> Slots:
        """Return the addresses of a kind that are due in a round (see :func:`relay.directory.index.slots_of`)."""
        table = np.zeros(len(self.index.reaches) * _DENIALS, np.uint8)
        for key in np.flatnonzero(np.bincount(self._keys, minlength=len(table))).tolist():
            reach, denied = divmod(key, _DENIALS)
            table[key] = slots_of(self.index.reaches[reach], denied, kind, round_number=round_number)
        masks = table[self._keys]
        used = int(np.bitwise_or.reduce(table)) if len(table) else 0
        rows = [np.flatnonzero(masks & (1 << slot)) * 8 + slot for slot in range(8) if used >> slot & 1]
        places = np.sort(np.concatenate(rows)) if len(rows) > 1 else (rows or [np.empty(0, np.intp)])[0]
        who = places >> 3
        return Slots(self.ordinals[who].astype(np.uint32), (places & 7).astype(np.uint8), self.infos[who])

    @cached_property
    def _keys(self) -> NDArray[np.intp]:
        columns = self.index.columns
        reach = columns.reach[self.ordinals].astype(np.intp)
        return reach * _DENIALS + columns.denied[self.ordinals]


def match(index: Index, alert: Alert, *, point_radius_km: float, drill: bool) -> Found:
    """Return who is to be told.

    A place is matched by polygon, circle or geocode (union); an info without any of them matches nobody.  A Private
    alert, and a Restricted one with addresses, reaches those it names and nobody else; places then only choose the
    info.  Everybody's own least severity and hazards count; in a drill only those who chose drills are told.
    """
    columns = index.columns
    able = columns.alive & columns.drills if drill else columns.alive
    named = _named(index, alert)
    if named is not None:
        able = able & named
    placed = _placed(index, alert.info, able, point_radius_km)
    if named is not None and placed:
        nowhere = able & ~np.logical_or.reduce(placed)
        wider = {id(mask): mask | nowhere for mask in placed}
        placed = [wider[id(mask)] for mask in placed]
    return _found(index, alert.info, _willing(columns, alert.info, placed))


def _named(index: Index, alert: Alert) -> Mask | None:
    """Return who is named by an alert that is not for everybody; None: it is for places."""
    if alert.scope == "Public" or (alert.scope != "Private" and not alert.addresses):
        return None
    groups = [name.removeprefix(_GROUP) for name in alert.addresses if name.startswith(_GROUP)]
    others = [name for name in alert.addresses if not name.startswith(_GROUP)]
    return index.in_groups(groups) | index.named(others)


def _placed(index: Index, infos: Sequence[Info], able: Mask, point_radius_km: float) -> list[Mask]:
    """Return, for each info, who of ``able`` is in its areas; language versions of one area are looked at once."""
    known: dict[object, Mask] = {}
    masks = []
    for info in infos:
        # The text says what the points say, and is compared a hundred times faster.
        key = tuple((tuple(p.text or p.points for p in a.polygons), a.circles, a.geocodes) for a in info.area)
        if key not in known:
            known[key] = _inside(index, info.area, able, point_radius_km)
        masks.append(known[key])
    return masks


def _inside(index: Index, areas: Sequence[Area], able: Mask, point_radius_km: float) -> Mask:
    shape = shape_of(areas, point_radius_km=point_radius_km)
    mask = index.in_places(shape.geocodes) & able if shape.geocodes else np.zeros(index.span, np.bool_)
    if not (shape.pieces or shape.discs):
        return mask
    columns = index.columns
    free = able & ~mask if shape.geocodes else able
    if np.count_nonzero(free) > index.span // 2:
        return mask | (shape.contains(columns.lat, columns.lon) & able)
    some = np.flatnonzero(free)
    mask[some] = shape.contains(columns.lat[some], columns.lon[some])
    return mask


def _willing(columns: Columns, infos: Sequence[Info], placed: Sequence[Mask]) -> list[Mask]:
    """Return ``placed`` without those to whom an info is not severe enough or not of a hazard they want.

    Infos that say the same to the same people share one mask object.
    """
    known: dict[tuple[int, int, int], Mask] = {}
    masks = []
    for info, mask in zip(infos, placed, strict=True):
        key = (id(mask), severity_rank(info.severity), hazard_mask(info.category))
        if key not in known:
            known[key] = mask & (columns.severity <= key[1]) & ((columns.hazards & key[2]) != 0)
        masks.append(known[key])
    return masks


def _found(index: Index, infos: Sequence[Info], masks: Sequence[Mask]) -> Found:
    distinct = list({id(mask): mask for mask in masks}.values())
    if not distinct:
        return Found(index, np.empty(0, np.intp), np.empty(0, np.uint16))
    ordinals = np.flatnonzero(np.logical_or.reduce(distinct) if len(distinct) > 1 else distinct[0])
    if len(infos) == 1:
        return Found(index, ordinals, np.zeros(len(ordinals), np.uint16))
    labels, combinations = _combined(distinct, ordinals)
    of_mask = {id(mask): place for place, mask in enumerate(distinct)}
    matched = [
        [number for number, mask in enumerate(masks) if of_mask[id(mask)] in combination]
        for combination in combinations
    ]
    lists = index.language_lists
    keys = labels * len(lists) + index.columns.languages[ordinals]
    present, where = _numbered(keys, size=len(combinations) * len(lists))
    table = np.array(
        [_choose(infos, matched[key // len(lists)], lists[key % len(lists)]) for key in present.tolist()], np.uint16
    )
    return Found(index, ordinals, table[where])


def _combined(masks: Sequence[Mask], ordinals: Ordinals) -> tuple[NDArray[np.intp], list[frozenset[int]]]:
    """Return a label for each ordinal, and for each label which of the masks hold; any number of masks."""
    labels = np.zeros(len(ordinals), np.intp)
    combinations: list[frozenset[int]] = [frozenset()]
    for place, mask in enumerate(masks):
        present, labels = _numbered(labels * 2 + mask[ordinals], size=2 * len(combinations))
        combinations = [combinations[p >> 1] | ({place} if p & 1 else set()) for p in present.tolist()]
    return labels, combinations


def _numbered(keys: NDArray[np.intp], *, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the keys that occur, ascending, and each key's place among them; all keys are below ``size``."""
    if size > _FEW + 4 * len(keys):
        present, where = np.unique(keys, return_inverse=True)
        return present, where
    present = np.flatnonzero(np.bincount(keys, minlength=size))
    places = np.zeros(size, np.intp)
    places[present] = np.arange(len(present))
    return present, places[keys]


def _choose(infos: Sequence[Info], matched: Sequence[int], wanted: Sequence[str]) -> int:
    """Return the info to read: the first wanted language, then the highest severity, then document order."""
    # The sort is stable, so document order decides between infos of the same severity.
    order = sorted(matched, key=lambda number: -severity_rank(infos[number].severity))
    found = best([infos[number].language for number in order], wanted)
    return order[found if found is not None else 0]
