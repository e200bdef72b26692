"""Order: in which order journalled records are told to Redis; a pure decision (design §6)."""

from __future__ import annotations

from dataclasses import dataclass

from relay.adapter import Class
from relay.intake.live import Entry, Reading
from relay.intake.records import (
    AcceptRecord,
    AckRecord,
    ApprovalRecord,
    ControlRecord,
    DirectoryRecord,
    KeyRecord,
    Record,
)

_ORDER = {klass: rank for rank, klass in enumerate(Class)}
#: The rank of P1: what is at most that is asked again soon.
URGENT = 3
#: How far behind the word that ended it an alert comes: still before the next class.
_BEHIND = 0.5
#: Chains of words that end each other are followed so far.
_CHAIN = 50


@dataclass(frozen=True, slots=True)
class End:
    """What ends an alert: the least ``rank`` that this leaves it, and the numbers of the ``words`` that say so."""

    rank: float
    words: frozenset[int]


#: Nothing ends it.
NEVER = End(0.0, frozenset())


def rank_of(record: Record, *, again: bool) -> float:
    """Return the order of a record: switches and edits first, for alerts are matched against them; then by class.

    Edits that Redis had applied already let a P0 pass.  A person's word comes before its alert, which Redis remembers:
    else what was rejected would be planned once more.
    """
    match record:
        case DirectoryRecord():
            return 2 if again else 0
        case KeyRecord() | ControlRecord() | ApprovalRecord():
            return 0
        case AcceptRecord():
            rank = _ORDER.get(Class(record.klass or "P2"), 2)
            return 1 if rank == 0 else 2 + rank
        case AckRecord():
            return 20
        case _:
            return 19


def ends_of(reading: Reading) -> dict[str, End]:
    """Return what a later word ended, by k1 digest.

    Redis must hear the word first.  Told of the alert before, workers would plan it, and tell people once more of what
    is over.  The words that it waits for have not been ended themselves: so two that end each other wait for nobody.
    """
    words = [e for e in reading.entries if isinstance(e.record, AcceptRecord) and e.record.refers]
    words = [e for e in words if isinstance(e.record, AcceptRecord) and e.record.state == "accepted"]
    ranks: dict[str, float] = {}
    for _ in range(_CHAIN):  # what ends a word that ends something comes before both
        before = dict(ranks)
        for word in words:
            _follow(word, ranks)
        if ranks == before:
            break
    numbers: dict[str, set[int]] = {k1: set() for k1 in ranks}
    for word in words:
        if isinstance(word.record, AcceptRecord) and word.record.k1 not in ranks:
            for k1 in word.record.refers:
                numbers[k1].add(word.number)
    return {k1: End(rank + _BEHIND, frozenset(numbers[k1])) for k1, rank in ranks.items()}


def _follow(word: Entry, ranks: dict[str, float]) -> None:
    """Note that what a word ends comes behind it, and behind what ends that word itself."""
    record = word.record
    if isinstance(record, AcceptRecord):
        behind = ranks[record.k1] + _BEHIND if record.k1 in ranks else 0.0
        rank = max(rank_of(record, again=word.again), behind)
        ranks.update({k1: max(ranks.get(k1, 0.0), rank) for k1 in record.refers})
