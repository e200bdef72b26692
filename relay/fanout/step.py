"""Step: the deliveries of one chunk that are prepared, handed over and settled together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from relay.fanout.contents import LegFacts
from relay.fanout.segment import Segment
from relay.tracking.states import Record


@dataclass(frozen=True)
class Step:
    """What of a chunk is to be prepared: records by position; ``maybe`` were perhaps sent by a worker that died.

    ``now`` is in hundredths of a second since the leg was made; ``again``: whatever is sent may come twice.
    """

    facts: LegFacts
    segment: Segment
    records: Mapping[int, Record]
    maybe: frozenset[int]
    now: int
    again: bool = False

    @cached_property
    def ordinals(self) -> dict[int, int]:
        """The recipient at each position."""
        positions = list(self.records)
        return dict(zip(positions, self.segment.ordinals[positions].tolist(), strict=True))
