"""What of a claimed chunk is to be handed over, and what is in doubt: a pure decision."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from relay.adapter import Class, Kind
from relay.fanout.retry import doubt, ended, resend_in_doubt
from relay.tracking.states import Flag, Record, State

#: At most this many deliveries of a chunk are handed over and not yet settled (design §9).
STEP = 256
#: For providers that may not be told twice, intent is written for at most this many first.
INTENT_STEP = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """Positions to hand over in order with their records; ``maybe`` were perhaps handed over by a worker that died.

    ``settled`` are doubts that must not be resent.
    """

    to_send: Mapping[int, Record]
    maybe: frozenset[int]
    settled: Mapping[int, Record]


NOTHING = Selection({}, frozenset(), {})


def select(
    records: Mapping[int, Record], *, how: str, kind: Kind, klass: Class, idempotent: bool, now: int
) -> Selection:
    """Choose from a chunk's ``records``: what waits, what is due, what a dead worker left in doubt.

    ``now`` is in hundredths of a second since the leg was made.  ``idempotent``: every channel of the kind is.
    """
    to_send: dict[int, Record] = {}
    settled: dict[int, Record] = {}
    waiting: list[int] = []
    for position, record in records.items():
        if record.state is State.QUEUED or (record.state is State.RETRYING and record.due <= now):
            to_send[position] = record
            waiting.append(position)
        elif record.state is State.SENDING:
            again = bool(record.flags & Flag.IN_DOUBT)
            if resend_in_doubt(kind, klass, idempotent=idempotent, again=again):
                to_send[position] = doubt(record)
            else:
                settled[position] = ended(doubt(record), State.POSSIBLY_SENT, reason="worker_lost", now=now)
    # The worker that held this chunk settles batch by batch and starts no batch before the last one is settled.
    maybe = frozenset(waiting[:STEP]) if how == "again" else frozenset()
    return Selection(to_send, maybe, settled)


def give_up(records: Mapping[int, Record], *, how: str, idempotent: bool, now: int) -> dict[int, Record]:
    """Return what must be recorded of a chunk that may not be sent any more (cancelled, superseded, expired).

    Only doubts are: whatever waits is read as the leg's end, without a write.
    """
    settled: dict[int, Record] = {}
    waiting: list[int] = []
    for position, record in records.items():
        if record.state is State.SENDING:
            settled[position] = ended(doubt(record), State.POSSIBLY_SENT, reason="worker_lost", now=now)
        elif record.state in (State.QUEUED, State.RETRYING) and record.due <= now:
            waiting.append(position)
    if how == "again" and idempotent:
        for position in waiting[:STEP]:
            settled[position] = ended(doubt(records[position]), State.POSSIBLY_SENT, reason="worker_lost", now=now)
    return settled


def still_in_doubt(chosen: Selection, started: AbstractSet[int]) -> dict[int, Record]:
    """Return what a dead worker may have handed over and what could not start here: due at once, and in doubt."""
    put_off = sorted(chosen.maybe - started)
    return {p: replace(doubt(chosen.to_send[p]), state=State.RETRYING, due=1) for p in put_off}


def never_left(intents: Mapping[int, Record], step: Mapping[int, Record]) -> dict[int, Record]:
    """Take back intents whose hand-over was stopped before it began: tried again later, or read as the leg's end."""
    return {p: replace(r, state=State.RETRYING, due=1, attempt=step[p].attempt) for p, r in intents.items()}
