"""The rows of an archived segment: each delivery as the API shows it, and what makes it whole again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relay.fanout.segment import SEGMENT, Segment
from relay.store.legs import Leg
from relay.tracking.deliveries import delivery_json, last_words
from relay.tracking.states import RECORD_BYTES, Record


def rows(
    leg: Leg, segment: Segment, records: bytes, *, log: bytes, names: Sequence[str], channels: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each delivery of a segment; ``names`` are the recipients' ids, in its order."""
    ids, words = last_words(log)
    alike: dict[bytes, dict[str, Any]] = {}
    who = zip(segment.ordinals.tolist(), segment.slots.tolist(), segment.variants.tolist(), names, strict=True)
    for position, (ordinal, slot, variant, name) in enumerate(who):
        data = records[position * RECORD_BYTES : (position + 1) * RECORD_BYTES]
        rank = segment.number * SEGMENT + position
        told = position in ids or position in words
        shown = None if told else alike.get(data)
        if shown is None:
            shown = delivery_json(
                leg,
                rank=rank,
                record=Record.unpack(data),
                recipient=name,
                channels=channels,
                provider_id=ids.get(position, ""),
                word=words.get(position, ""),
            )
            if not told:
                # A batch ends at one time in one way: most of its deliveries differ in their names only.
                alike[data] = shown
        own = {"id": f"{leg.leg_id}-{rank}", "recipient": name}
        yield {**shown, **own, "ordinal": ordinal, "slot": slot, "variant": variant, "record": data.hex()}
