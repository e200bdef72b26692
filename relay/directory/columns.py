"""The arrays behind the node's index: one row a recipient, one interned number for what many share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Numbers = NDArray[np.uint32]
Ordinals = NDArray[np.intp]

_START: Final = 1024


@dataclass(slots=True)
class Columns:
    """Arrays of equal length, by ordinal; about 60 bytes a recipient with two addresses.

    ``lat`` and ``lon`` are float64: float32 moves a place by up to 1.7 m, across borders too, and would be widened
    for every comparison.  NaN: no location.  ``hazards`` are bits, all of them when every hazard is wanted;
    ``denied`` has a bit for each slot that is opted out.  ``languages``, ``groups``, ``geocodes`` and ``reach`` are
    numbers of interned tuples.  ``names`` (rows × width) holds hashes of the id and of each address, 0 for none.
    """

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    alive: Mask
    drills: Mask
    severity: NDArray[np.uint8]
    hazards: NDArray[np.uint16]
    denied: NDArray[np.uint8]
    languages: Numbers
    groups: Numbers
    geocodes: Numbers
    reach: Numbers
    names: NDArray[np.uint64]

    @classmethod
    def empty(cls) -> Self:
        """Return columns without a row."""
        return cls(
            lat=np.empty(0),
            lon=np.empty(0),
            alive=np.empty(0, np.bool_),
            drills=np.empty(0, np.bool_),
            severity=np.empty(0, np.uint8),
            hazards=np.empty(0, np.uint16),
            denied=np.empty(0, np.uint8),
            languages=np.empty(0, np.uint32),
            groups=np.empty(0, np.uint32),
            geocodes=np.empty(0, np.uint32),
            reach=np.empty(0, np.uint32),
            names=np.empty((0, 2), np.uint64),
        )

    def __len__(self) -> int:
        return len(self.alive)

    def first(self, rows: int) -> Self:
        """Return views of the first ``rows`` rows."""
        return type(self)(**{field.name: getattr(self, field.name)[:rows] for field in fields(self)})

    def reserve(self, rows: int, *, names: int) -> None:
        """Make room for ``rows`` rows of ``names`` names; what is new is zero, and nobody is alive in it."""
        wide = max(names, self.names.shape[1])
        if rows <= len(self) and wide == self.names.shape[1]:
            return
        size = len(self) if rows <= len(self) else max(rows, 2 * len(self), _START)
        for field in fields(self):
            old = getattr(self, field.name)
            fresh = np.zeros((size, wide) if old.ndim == 2 else size, old.dtype)
            fresh[tuple(slice(length) for length in old.shape)] = old
            setattr(self, field.name, fresh)


class Interned:
    """Numbers for tuples that many recipients have in common; number 0 is the empty tuple.

    A number is never taken back: the tuples in use are few, and a restart forgets those that are not.
    """

    def __init__(self, values: Sequence[tuple[object, ...]] = ()) -> None:
        self.values: list[tuple[object, ...]] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._with: dict[object, list[int]] = {}
        for value in values or ((),):
            self.number(value)

    def number(self, value: tuple[object, ...]) -> int:
        """Return the number of ``value``, giving one if it is new."""
        known = self._numbers.get(value)
        if known is None:
            known = self._numbers[value] = len(self.values)
            self.values.append(value)
            for word in set(value):
                self._with.setdefault(word, []).append(known)
        return known

    def having(self, words: Collection[object]) -> Mask:
        """Return, by number, which tuples hold any of ``words``."""
        mask = np.zeros(len(self.values), np.bool_)
        for word in words:
            mask[self._with.get(word, [])] = True
        return mask
