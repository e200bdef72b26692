"""Per-recipient truth: what the records of an alert's legs say, a page at a time (design §9, §16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from relay.fanout.ids import DeliveryRef
from relay.fanout.outcome_log import entries
from relay.fanout.segment import SEGMENT, Segment
from relay.store.cursor import SUPERSEDED
from relay.store.directory import DirectoryStore
from relay.store.legs import Leg, Legs, state_array
from relay.tracking.archive_file import NamedSegment
from relay.tracking.instants import utc
from relay.tracking.reasons import OTHER, reason_of
from relay.tracking.states import RECORD_BYTES, Flag, Record, State, effective

#: Segments looked at for one page; a filter that fits nobody still answers soon, with a cursor to go on.
MOST_SEGMENTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which deliveries: ``state`` and ``kind`` None for all, ``ordinal`` None for all recipients."""

    state: State | None = None
    kind: str = ""
    ordinal: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the API shows them, and where to go on (None: that was all)."""

    rows: Sequence[Mapping[str, Any]]
    next: DeliveryRef | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Positions of one segment that are wanted."""

    leg: Leg
    segment: Segment
    records: bytes
    positions: NDArray[np.intp]


class Deliveries:
    """Reads what became of every delivery."""

    def __init__(self, legs: Legs, directory: DirectoryStore) -> None:
        self._legs = legs
        self._directory = directory

    async def page(self, legs: Sequence[Leg], wanted: Wanted, *, after: DeliveryRef | None) -> Page:
        """Return the next deliveries after ``after``, by leg and rank; ``after`` names a leg among ``legs``.

        Raises:
            StoreUnavailable: Redis is away.
        """
        rows: list[Mapping[str, Any]] = []
        channels = await self._channels()
        at = after
        for looked, (leg, number) in enumerate(_segments(legs, wanted, after)):
            if looked == MOST_SEGMENTS:
                return Page(rows, at)
            piece = await self._piece(leg, number, wanted, after)
            if piece is not None:
                room = wanted.limit - len(rows)
                rows += await self._rows(piece, piece.positions[:room], channels)
                if len(piece.positions) > room:
                    return Page(rows, DeliveryRef(leg.leg_id, number * SEGMENT + int(piece.positions[room - 1])))
            at = DeliveryRef(leg.leg_id, (number + 1) * SEGMENT - 1)
            if len(rows) == wanted.limit:
                return Page(rows, at)
        return Page(rows, None)

    async def _piece(self, leg: Leg, number: int, wanted: Wanted, after: DeliveryRef | None) -> _Piece | None:
        segment = await self._legs.segment(leg.leg_id, number)
        if segment is None:
            return None
        chosen = np.ones(len(segment), np.bool_)
        if wanted.ordinal is not None:
            chosen &= segment.ordinals == wanted.ordinal
        if after is not None and after.leg_id == leg.leg_id and after.rank // SEGMENT == number:
            chosen[: after.rank % SEGMENT + 1] = False
        if not chosen.any():
            return None
        records = await self._legs.records(leg.leg_id, number, first=0, last=len(segment))
        if wanted.state is not None:
            stored = [int(s) for s in State if effective(s, leg.closed) is wanted.state]
            chosen &= np.isin(state_array(records), stored)
        return _Piece(leg, segment, records, np.flatnonzero(chosen))

    async def _rows(
        self, piece: _Piece, positions: NDArray[np.intp], channels: Mapping[int, str]
    ) -> list[dict[str, Any]]:
        if not len(positions):
            return []
        names = await self._names(piece.segment, positions)
        ids, words = last_words(await self._legs.outcomes(piece.leg.leg_id, piece.segment.number))
        own = piece.leg.facts.get("channels")
        channels = _by_number(orjson.loads(own)) if own else channels
        return [
            delivery_json(
                piece.leg,
                rank=piece.segment.number * SEGMENT + position,
                record=Record.unpack(piece.records[position * RECORD_BYTES : (position + 1) * RECORD_BYTES]),
                recipient=name,
                channels=channels,
                provider_id=ids.get(position, ""),
                word=words.get(position, ""),
            )
            for position, name in zip(positions.tolist(), names, strict=True)
        ]

    async def _names(self, segment: Segment, positions: NDArray[np.intp]) -> list[str]:
        """Return the ids of recipients: those they have, or those they had when the alert was archived."""
        if isinstance(segment, NamedSegment):
            return [segment.names[position] for position in positions.tolist()]
        ordinals = segment.ordinals[positions].tolist()
        unique = sorted(set(ordinals))
        names = dict(zip(unique, recipient_ids(await self._directory.get_many(unique)), strict=True))
        return [names[ordinal] for ordinal in ordinals]

    async def _channels(self) -> dict[int, str]:
        return _by_number(await self._legs.channels())


def recipient_ids(stored: Iterable[bytes | None]) -> list[str]:
    """Return the ids of recipients as the directory stores them; empty for one whom it has never had."""
    return [_name(text) for text in stored]


def last_words(log: bytes) -> tuple[dict[int, str], dict[int, str]]:
    """Return the provider's ids and the adapter's last own reason by position, from an outcome log."""
    ids, words = {}, {}
    for entry in entries(log):
        if entry.provider_ids:
            ids[entry.position] = entry.provider_ids
        if entry.word:
            words[entry.position] = entry.word
    return ids, words


def delivery_json(
    leg: Leg,
    *,
    rank: int,
    record: Record,
    recipient: str,
    channels: Mapping[int, str],
    provider_id: str,
    word: str = "",
) -> dict[str, Any]:
    """Return one delivery in the shape of design §16; ``word`` is the adapter's own last reason."""
    state = effective(record.state, leg.closed)
    row: dict[str, Any] = {
        "id": str(DeliveryRef(leg.leg_id, rank)),
        "recipient": recipient,
        "kind": leg.lane,
        "channel": channels.get(record.channel) if record.channel else None,
        "state": state.word,
        "attempts": record.attempt,
        "provider_id": provider_id or None,
        "reason": word if record.reason == OTHER and word else _reason(leg, record, state),
        "possible_duplicate": Flag.POSSIBLE_DUPLICATE in record.flags,
        "times": _times(leg, record, state),
    }
    if record.answer:
        row["answer"] = str(record.answer)
        row["late"] = Flag.LATE_ANSWER in record.flags
    return row


def _reason(leg: Leg, record: Record, state: State) -> str | None:
    if state is record.state:
        return reason_of(record.reason) or None
    if state is State.CANCELLED:
        return "superseded" if leg.cursor.flags & SUPERSEDED else "alert_cancelled"
    if state is State.POSSIBLY_SENT:
        return "worker_lost"
    return "alert_expired" if state is State.EXPIRED else reason_of(record.reason) or None


def _times(leg: Leg, record: Record, state: State) -> dict[str, str]:
    """Return the known instants, each under the name of what happened then."""
    hundredths = {"accepted": record.accepted}
    if state is State.ACKNOWLEDGED:
        # Whoever answered has received it, whatever the provider said before.
        hundredths |= {"delivered": record.ended, "acknowledged": record.due}
    elif state.terminal and state is record.state:
        hundredths[state.word] = record.ended
    elif state is State.RETRYING:
        hundredths["next_attempt"] = record.due
    known = {"queued": utc(leg.cursor.start)}
    known |= {word: utc(leg.cursor.start + n * 10) for word, n in hundredths.items() if n}
    if state.terminal and state is not record.state and leg.facts.get("done"):
        known[state.word] = utc(float(leg.facts["done"]))
    return known


def _segments(legs: Sequence[Leg], wanted: Wanted, after: DeliveryRef | None) -> list[tuple[Leg, int]]:
    """Return the segments that are still to be looked at, in order."""
    ids = [leg.leg_id for leg in legs]
    begin = ids.index(after.leg_id) if after is not None else 0
    found = []
    for leg in legs[begin:]:
        first = (after.rank + 1) // SEGMENT if after is not None and leg.leg_id == after.leg_id else 0
        if not wanted.kind or leg.lane == wanted.kind:
            found += [(leg, number) for number in range(first, len(leg.cursor.sizes))]
    return found


def _by_number(channels: Mapping[str, int]) -> dict[int, str]:
    return {index: name for name, index in channels.items()}


def _name(stored: bytes | None) -> str:
    """Return the id in a stored recipient; one who was taken out keeps it."""
    return str(orjson.loads(stored).get("id", "")) if stored else ""
