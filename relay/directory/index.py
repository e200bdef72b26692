"""The node's index: what matching needs of every recipient, in memory (design §9, *Plan*).

Ids, addresses and secrets are not here: they are read by ordinal when a message is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from relay.adapter import Kind
from relay.cap.area import geocode_key
from relay.cap.priority import severity_rank
from relay.directory.columns import Columns, Interned, Mask
from relay.directory.recipient import HAZARDS, MAX_ADDRESSES, Recipient

_HAZARD_BIT: Final = {hazard: 1 << bit for bit, hazard in enumerate(HAZARDS)}
_ALL_HAZARDS: Final = 0xFFFF
_FIRST: Final = "first"


@dataclass(frozen=True, slots=True)
class State:
    """An index as values: arrays of its rows and the interned tuples, for a snapshot."""

    columns: Columns
    languages: Sequence[tuple[str, ...]]
    groups: Sequence[tuple[str, ...]]
    geocodes: Sequence[tuple[tuple[str, str], ...]]
    reach: Sequence[tuple[str, ...]]


class Index:
    """Recipients by ordinal.  Used from one thread at a time."""

    def __init__(self) -> None:
        self._columns = Columns.empty()
        self._languages = Interned()
        self._groups = Interned()
        self._geocodes = Interned()
        self._reach = Interned()
        self._span = 0
        self._count = 0

    def __len__(self) -> int:
        """Return how many recipients there are."""
        return self._count

    @property
    def span(self) -> int:
        """The highest ordinal ever seen, plus one."""
        return self._span

    @property
    def columns(self) -> Columns:
        """Views of all rows; valid until the next change."""
        return self._columns.first(self._span)

    @property
    def language_lists(self) -> Sequence[tuple[str, ...]]:
        """Languages in order of preference, by the numbers of the column ``languages``."""
        return cast("list[tuple[str, ...]]", self._languages.values)

    @property
    def reaches(self) -> Sequence[tuple[str, ...]]:
        """Policy and then the kind of each slot, by the numbers of the column ``reach``; number 0 is empty."""
        return cast("list[tuple[str, ...]]", self._reach.values)

    def upsert(self, ordinal: int, recipient: Recipient, *, denied: int) -> None:
        """Put a recipient in, or replace him; ``denied`` is the bitmask of slots that are opted out."""
        columns, names = self._columns, [recipient.id, *(address.value for address in recipient.addresses)]
        columns.reserve(ordinal + 1, names=len(names))
        self._span = max(self._span, ordinal + 1)
        self._count += not columns.alive[ordinal]
        columns.alive[ordinal] = True
        place = recipient.location
        columns.lat[ordinal], columns.lon[ordinal] = (place.lat, place.lon) if place is not None else (np.nan, np.nan)
        columns.drills[ordinal] = recipient.drills
        columns.severity[ordinal] = severity_rank(recipient.min_severity)
        columns.hazards[ordinal] = hazard_mask(recipient.hazards)
        columns.denied[ordinal] = denied
        columns.languages[ordinal] = self._languages.number(recipient.languages)
        columns.groups[ordinal] = self._groups.number(tuple(sorted(set(recipient.groups))))
        codes = {geocode_key(code.scheme, code.value) for code in recipient.geocodes}
        columns.geocodes[ordinal] = self._geocodes.number(tuple(sorted(codes)))
        kinds = (address.kind.value for address in recipient.addresses)
        columns.reach[ordinal] = self._reach.number((recipient.policy, *kinds))
        columns.names[ordinal] = 0
        columns.names[ordinal, : len(names)] = [_hash(name) for name in names]

    def remove(self, ordinal: int) -> None:
        """Take a recipient out; one that is not there is fine."""
        if ordinal >= self._span or not self._columns.alive[ordinal]:
            return
        self._count -= 1
        self._columns.alive[ordinal] = False
        self._columns.names[ordinal] = 0

    def deny(self, ordinal: int, slot: int) -> None:
        """Note that one address slot is opted out; an ordinal that is not there is fine."""
        if ordinal < self._span:
            self._columns.denied[ordinal] |= 1 << slot

    def in_groups(self, groups: Collection[str]) -> Mask:
        """Return who is in any of ``groups``, by ordinal."""
        columns = self.columns
        return self._groups.having(groups)[columns.groups] & columns.alive

    def in_places(self, codes: Collection[tuple[str, str]]) -> Mask:
        """Return who has any of the geocodes (see :func:`relay.cap.area.geocode_key`), by ordinal."""
        columns = self.columns
        return self._geocodes.having(codes)[columns.geocodes] & columns.alive

    def named(self, names: Iterable[str]) -> Mask:
        """Return who bears any of ``names`` as id or address, by ordinal; a mailbox's letters count without case."""
        columns = self.columns
        wanted = np.array([_hash(name) for name in names], np.uint64)
        if not len(wanted):
            return np.zeros(self._span, np.bool_)
        return np.isin(columns.names, wanted).any(axis=1) & columns.alive

    def dump(self) -> State:
        """Return a copy of everything, safe to write from another thread."""
        columns = self.columns
        fields = {name: getattr(columns, name).copy() for name in Columns.__slots__}
        return State(
            columns=Columns(**fields),
            languages=tuple(self.language_lists),
            groups=tuple(cast("list[tuple[str, ...]]", self._groups.values)),
            geocodes=tuple(cast("list[tuple[tuple[str, str], ...]]", self._geocodes.values)),
            reach=tuple(self.reaches),
        )

    @classmethod
    def restore(cls, state: State) -> Index:
        """Return the index that :meth:`dump` was called on; takes the arrays over."""
        index = cls()
        index._columns = state.columns
        index._languages, index._groups = Interned(state.languages), Interned(state.groups)
        index._geocodes, index._reach = Interned(state.geocodes), Interned(state.reach)
        index._span = len(state.columns)
        index._count = int(np.count_nonzero(state.columns.alive))
        return index


def hazard_mask(categories: Collection[str]) -> int:
    """Return the bits of CAP categories; none at all, or one that CAP does not name, reads as all."""
    mask = 0
    for category in categories:
        mask |= _HAZARD_BIT.get(category, _ALL_HAZARDS)
    return mask or _ALL_HAZARDS


def slots_of(reach: Sequence[str], denied: int, kind: Kind, *, round_number: int) -> int:
    """Return the slots (bitmask) that a recipient is told on by ``kind`` in a round, counted from 0.

    ``reach`` is the policy and the kind of each slot.  Policy "all": every address in round 0.  Policy "first": the
    first kind in round 0, the next in round 1 and so on; a kind on which nothing is allowed is passed over.  A denied
    slot is planned all the same, so that the record says why nothing was sent there.
    """
    kinds = reach[1 : 1 + MAX_ADDRESSES]
    of_kind = sum(1 << slot for slot, name in enumerate(kinds) if name == kind)
    if not reach or reach[0] != _FIRST:
        return of_kind if round_number == 0 else 0
    usable = dict.fromkeys(name for slot, name in enumerate(kinds) if not denied >> slot & 1)
    order = list(usable or dict.fromkeys(kinds[:1]))
    return of_kind if order[round_number : round_number + 1] == [kind] else 0


def _hash(name: str) -> int:
    text = name.casefold() if "@" in name else name
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
