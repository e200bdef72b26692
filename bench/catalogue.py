"""The figures of design §17, and one of ours (E4m): how each is measured, and what it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from bench import e1, e1s, e2, e3, e4, e4m, e5, e6, e7, e8, e9, e10, e11, e12, e13
from bench.figures import Target
from bench.job import Measure


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure: ``longest`` are the seconds after which it is given up at full size and three runs."""

    measure: Measure
    target: Target
    what: str
    longest: float


def _entry(module: ModuleType, longest: float) -> Entry:
    return Entry(module.measure, module.TARGET, module.WHAT, longest)


#: In the order in which they are measured.
FIGURES: Mapping[str, Entry] = {
    "E1": _entry(e1, 240),
    "E1s": _entry(e1s, 420),
    "E2": _entry(e2, 420),
    "E3": _entry(e3, 240),
    "E4": _entry(e4, 300),
    "E4m": _entry(e4m, 300),
    "E5": _entry(e5, 180),
    "E6": _entry(e6, 240),
    "E7": _entry(e7, 180),
    "E8": _entry(e8, 300),
    "E9": _entry(e9, 240),
    "E10": _entry(e10, 120),
    "E11": _entry(e11, 240),
    "E12": _entry(e12, 180),
    "E13": _entry(e13, 180),
}
