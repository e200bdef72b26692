"""The node's index: what matching needs of every recipient, as arrays by ordinal (design §9, *Plan*).

Addresses, names and secrets are not here: they are read when a message is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from relay.adapter import Kind
from relay.cap.area import geocode_key
from relay.cap.priority import severity_rank
from relay.directory.recipient import HAZARDS, Recipient

KINDS: Final = tuple(Kind)
SLOTS: Final = 8

_HAZARD_BIT: Final = {hazard: 1 << bit for bit, hazard in enumerate(HAZARDS)}
_START: Final = 1024

Ordinals = NDArray[np.int64]


class Postings:
    """Ordinals by word; arrays are made when they are asked for."""

    def __init__(self) -> None:
        self._sets: dict[object, set[int]] = {}
        self._of: dict[int, tuple[object, ...]] = {}

    def put(self, ordinal: int, words: Sequence[object]) -> None:
        """Replace the words of an ordinal."""
        for word in self._of.pop(ordinal, ()):
            self._sets[word].discard(ordinal)
        for word in words:
            self._sets.setdefault(word, set()).add(ordinal)
        if words:
            self._of[ordinal] = tuple(words)

    def find(self, words: Collection[object]) -> Ordinals:
        """Return the ordinals that have any of ``words``."""
        found: set[int] = set()
        for word in words:
            found |= self._sets.get(word, set())
        return np.fromiter(found, np.int64, len(found))


class Index:
    """Arrays by ordinal, grown as needed; ``languages`` and ``slots`` are numbers into :attr:`language_lists`
    and packed kinds."""

    def __init__(self) -> None:
        self.lat = np.full(_START, np.nan)
        self.lon = np.full(_START, np.nan)
        self.alive = np.zeros(_START, bool)
        self.drills = np.zeros(_START, bool)
        self.first_only = np.zeros(_START, bool)
        self.severity = np.zeros(_START, np.uint8)
        self.hazards = np.zeros(_START, np.uint16)
        self.languages = np.zeros(_START, np.uint16)
        #: For each slot 1 + the number of its kind, 0 where there is none or it is denied; one column a slot.
        self.kinds = np.zeros((_START, SLOTS), np.uint8)
        self.language_lists: list[tuple[str, ...]] = [()]
        self.groups = Postings()
        self.geocodes = Postings()
        self.names = Postings()
        self._language_ids: dict[tuple[str, ...], int] = {(): 0}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def span(self) -> int:
        """The length of the arrays."""
        return len(self.alive)

    def upsert(self, ordinal: int, recipient: Recipient, *, denied: int) -> None:
        """Put a recipient in, or replace him; ``denied`` is the bitmask of slots that are opted out."""
        self._reach(ordinal)
        self._count += not self.alive[ordinal]
        self.alive[ordinal] = True
        place = recipient.location
        self.lat[ordinal], self.lon[ordinal] = (place.lat, place.lon) if place is not None else (np.nan, np.nan)
        self.drills[ordinal] = recipient.drills
        self.first_only[ordinal] = recipient.policy == "first"
        self.severity[ordinal] = severity_rank(recipient.min_severity)
        self.hazards[ordinal] = sum(_HAZARD_BIT[h] for h in set(recipient.hazards)) or 0xFFFF
        self.languages[ordinal] = self._language_id(recipient.languages)
        self.kinds[ordinal] = 0
        for slot, address in enumerate(recipient.addresses):
            if not denied >> slot & 1:
                self.kinds[ordinal, slot] = 1 + KINDS.index(address.kind)
        self.groups.put(ordinal, recipient.groups)
        self.geocodes.put(ordinal, [geocode_key(g.scheme, g.value) for g in recipient.geocodes])
        self.names.put(ordinal, [recipient.id, *(a.value for a in recipient.addresses)])

    def remove(self, ordinal: int) -> None:
        """Take a recipient out."""
        if ordinal >= self.span or not self.alive[ordinal]:
            return
        self._count -= 1
        self.alive[ordinal] = False
        for postings in (self.groups, self.geocodes, self.names):
            postings.put(ordinal, ())

    def hazard_mask(self, categories: Collection[str]) -> int:
        """Return the bits of CAP categories; one that CAP does not name reads as all."""
        return sum(_HAZARD_BIT.get(c, 0xFFFF) for c in set(categories)) & 0xFFFF or 0xFFFF

    def _language_id(self, languages: tuple[str, ...]) -> int:
        known = self._language_ids.get(languages)
        if known is None:
            known = self._language_ids[languages] = len(self.language_lists)
            self.language_lists.append(languages)
        return known

    def _reach(self, ordinal: int) -> None:
        if ordinal < self.span:
            return
        size = max(ordinal + 1, self.span * 2)
        for name in ("alive", "drills", "first_only", "severity", "hazards", "languages"):
            old = getattr(self, name)
            fresh = np.zeros(size, old.dtype)
            fresh[: len(old)] = old
            setattr(self, name, fresh)
        for name in ("lat", "lon"):
            setattr(self, name, np.concatenate([getattr(self, name), np.full(size - len(getattr(self, name)), np.nan)]))
        self.kinds = np.concatenate([self.kinds, np.zeros((size - len(self.kinds), SLOTS), np.uint8)])
