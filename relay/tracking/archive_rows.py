"""The rows of an archived segment: each delivery as the API shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.fanout.segment import SEGMENT
from relay.store.legs import Leg
from relay.tracking.archive_file import Piece
from relay.tracking.deliveries import delivery_json, last_words
from relay.tracking.states import RECORD_BYTES, Record


def rows(leg: Leg, piece: Piece, channels: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    """Yield a row for each delivery of a segment."""
    ids, words = last_words(piece.log)
    alike: dict[bytes, dict[str, Any]] = {}
    for position, name in enumerate(piece.segment.names):
        data = piece.records[position * RECORD_BYTES : (position + 1) * RECORD_BYTES]
        rank = piece.segment.number * SEGMENT + position
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
        yield {**shown, "id": f"{leg.leg_id}-{rank}", "recipient": name}
