"""Late words: receipts and answers that came after an alert was archived; a file beside it, merged when it is read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from relay.tracking.archive_file import ArchivedLeg, sync_folder
from relay.tracking.states import RECORD_BYTES, Record, State, merge

SUFFIX = ".late"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateWord:
    """What one delivery became by a late word; ``archived_ms`` says which archiving of the alert it belongs to."""

    leg_id: str
    rank: int
    record: Record
    was: State
    at_ms: int
    archived_ms: int


def path_of(file: Path) -> Path:
    """Return where the late words of an archived alert stand."""
    return file.with_name(file.name + SUFFIX)


def append(file: Path, word: LateWord) -> None:
    """Write one word durably.

    Raises:
        OSError: the disk; the word was not taken.
    """
    line = orjson.dumps(
        {
            "leg": word.leg_id,
            "rank": word.rank,
            "record": word.record.pack().hex(),
            "was": int(word.was),
            "at": word.at_ms,
            "archived": word.archived_ms,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )
    path = path_of(file)
    fresh = not path.exists()
    with path.open("ab") as log:
        if log.tell() and not _ends_whole(path):
            log.write(b"\n")  # the machine died within a line: that word was never confirmed
        log.write(line)
        log.flush()
        os.fsync(log.fileno())
    if fresh:
        sync_folder(path.parent)


def read(file: Path, *, archived_ms: int) -> list[LateWord]:
    """Return the words that belong to this archiving, in order; a torn line is left out.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        lines = path_of(file).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [word for line in lines if (word := _word(line)) is not None and word.archived_ms == archived_ms]


def count(file: Path) -> int:
    """Return how many words there are for an archived alert, of this archiving or an earlier one.

    Raises:
        OSError: the file cannot be read.
    """
    return sum(_word(line) is not None for line in path_of(file).read_bytes().splitlines())


def merged(records: bytes, words: Iterable[tuple[int, Record]]) -> bytes:
    """Return records with words about positions among them."""
    found = bytearray(records)
    for position, record in words:
        at = slice(position * RECORD_BYTES, (position + 1) * RECORD_BYTES)
        found[at] = merge(Record.unpack(bytes(found[at])), record).pack()
    return bytes(found)


def counted(legs: Sequence[ArchivedLeg], words: Iterable[LateWord]) -> tuple[ArchivedLeg, ...]:
    """Return legs whose counters know of late words."""
    facts = {leg.leg_id: dict(leg.facts) for leg in legs}
    for word in words:
        mine = facts[word.leg_id]
        for state, by in ((_read_as(word.was, mine), -1), (_read_as(word.record.state, mine), 1)):
            if state:
                mine[f"n{state}"] = str(int(mine.get(f"n{state}", 0)) + by)
    return tuple(replace(leg, facts=facts[leg.leg_id]) for leg in legs)


def _read_as(state: State, facts: Mapping[str, str]) -> int:
    """Return the state under which the counters of a leg know a delivery, as ``lua/settle.lua`` counts it."""
    return int(facts.get("rest", state)) if state in (State.QUEUED, State.RETRYING) else int(state)


def _word(line: bytes) -> LateWord | None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return LateWord(
        leg_id=found["leg"],
        rank=found["rank"],
        record=Record.unpack(bytes.fromhex(found["record"])),
        was=State(found["was"]),
        at_ms=found["at"],
        archived_ms=found["archived"],
    )


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as log:
        log.seek(-1, os.SEEK_END)
        return log.read(1) == b"\n"
