"""Gathered: the audience of a cancel as it comes together over the alerts that it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from relay.adapter import Kind
from relay.fanout.plan import Pairs, without


@dataclass(slots=True)
class Gathered:
    """A cancel's audience as it gathers over the targets."""

    seen: dict[Kind, list[np.ndarray[tuple[int], np.dtype[np.uint64]]]] = field(default_factory=dict)
    by_infos: dict[str, dict[Kind, list[Pairs]]] = field(default_factory=dict)

    def new(self, kind: Kind, pairs: Pairs) -> Pairs:
        """Return who is not in it yet, and take them in: nobody is told twice."""
        seen = self.seen.setdefault(kind, [])
        fresh = without(pairs, np.concatenate(seen)) if seen else pairs
        seen.append(fresh.keys)
        return fresh

    def add(self, infos: str, kind: Kind, pairs: Pairs) -> None:
        """Let ``pairs`` read the infos of the alert ``infos``."""
        self.by_infos.setdefault(infos, {}).setdefault(kind, []).append(pairs)
