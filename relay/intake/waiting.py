"""Waiting: records that Redis has not taken yet, the most urgent first, apart for each place they go to."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from relay.intake.records import Record

#: Returns which slot of Redis a record is for.
PlaceOf = Callable[[Record], int]


@dataclass(order=True, slots=True)
class Pending:
    """One record: ``rank`` and then its number order it; ``again``: it had been applied before and was lost.

    ``behind`` are the numbers of words that end it: as long as one of these waits, perhaps for another place, it waits.
    """

    rank: float
    number: int
    record: Record = field(compare=False)
    again: bool = field(compare=False)
    tries: int = field(compare=False, default=0)
    behind: frozenset[int] = field(compare=False, default=frozenset())


class Waiting:
    """A heap for each place, so that one which is away keeps nobody else waiting."""

    def __init__(self, place_of: PlaceOf) -> None:
        self._place_of = place_of
        self._heaps: dict[int, list[Pending]] = {}
        self._known: dict[int, Pending] = {}
        self._kinds: Counter[type[Record]] = Counter()

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, number: object) -> bool:
        return number in self._known

    @property
    def numbers(self) -> Collection[int]:
        """The journal numbers of what waits, or was taken and is not :meth:`done`."""
        return self._known.keys()

    def any_of(self, kind: type[Record]) -> bool:
        """Whether a record of this kind waits."""
        return self._kinds[kind] > 0

    def add(self, item: Pending) -> bool:
        """Take a record in; False when it waits already.

        One that waits, and is lost now, may have been told all the same: the server took it and could not say so.
        """
        known = self._known.get(item.number)
        if known is not None:
            known.again = known.again or item.again
            known.behind |= item.behind
            return False
        self._known[item.number] = item
        self._kinds[type(item.record)] += 1
        self.back(item)
        return True

    def doubt(self, place: int) -> None:
        """What waits for a place may have been told before, to a memory that is lost."""
        for item in self._heaps.get(place, ()):
            item.again = True

    def take(self, places: Collection[int]) -> Pending | None:
        """Take the most urgent record for one of ``places`` off; None when there is none."""
        heads = [heap for place in places if (heap := self._heaps.get(place))]
        return heapq.heappop(min(heads, key=lambda heap: heap[0])) if heads else None

    def back(self, item: Pending) -> None:
        """Let a record that was taken wait again."""
        heapq.heappush(self._heaps.setdefault(self._place_of(item.record), []), item)

    def done(self, item: Pending) -> None:
        """Forget a record that was taken."""
        self._known.pop(item.number, None)
        self._kinds[type(item.record)] -= 1
