"""The archive: finished alerts on this node's disk, each in a file of its own, found through an index."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog

from relay.fanout.segment import SEGMENT
from relay.store.alerts import StoredAlert
from relay.store.legs import Leg
from relay.tracking import late_words
from relay.tracking.archive_file import (
    SUFFIX,
    Header,
    Piece,
    Writer,
    leg_from,
    read_header,
    read_piece,
)
from relay.tracking.archive_index import Entry, Figures, Index, Living
from relay.tracking.instants import utc
from relay.tracking.late_words import LateWord
from relay.tracking.states import RECORD_BYTES, Record, merge

log = structlog.get_logger()

K = TypeVar("K")
V = TypeVar("V")

_KEPT_HEADERS = 32
_KEPT_SEGMENTS = 32
_AT_ONCE = 500


class Archive:
    """Files and index of one folder.  Every call blocks on the disk, so it is made in a thread.

    ``living`` are the archived alerts whose time was not over when it was last tidied, by id; it may be read anywhere.
    """

    def __init__(self, folder: Path, *, node: str) -> None:
        self._folder = folder
        self._node = node
        self._lock = threading.RLock()
        self._headers: OrderedDict[str, Header] = OrderedDict()
        self._segments: OrderedDict[tuple[str, int], Piece] = OrderedDict()
        self._compared = False
        self.living: dict[str, Living] = {}
        folder.mkdir(mode=0o700, exist_ok=True)
        self._index = Index(folder / "index.sqlite")

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def open(self, *, now_ms: int) -> None:
        """Learn which alerts are in force.  An index that was lost is made anew now, what else is odd found later.

        Raises:
            OSError: the folder cannot be read.
        """
        if not self._index.figures().alerts:
            self.compare()
        self.living = {found.alert_id: found for found in self._index.living(now_ms)}

    def compare(self) -> None:
        """Compare files and index, once after a start and before anything is written.

        What a crash left half-written goes; a file that the index does not know is taken in.

        Raises:
            OSError: the folder cannot be read.
        """
        with self._lock:
            if not self._compared:
                self._compare()
            self._compared = True

    def _compare(self) -> None:
        known = self._index.paths()
        there: set[str] = set()
        late = {str(path.relative_to(self._folder)) for path in self._folder.glob(f"*/*{late_words.SUFFIX}")}
        for path in self._folder.glob("*/*"):
            name = str(path.relative_to(self._folder))
            if path.suffix in (".tmp", ".body"):
                path.unlink(missing_ok=True)
            elif path.name.endswith(SUFFIX):
                there.add(name)
                words = late_words.count(path) if name + late_words.SUFFIX in late else 0
                if known.get(name, ("", -1))[1] != words:
                    self._take_in(path)
        for name in known.keys() - there:
            log.warning("archive_file_missing", file=name)
            self._index.remove(known[name][0])

    def writer(self, alert: StoredAlert) -> Writer:
        """Return what writes the file of an alert."""
        received = alert.number("received")
        return Writer(self._folder / utc(received)[:10] / f"{received:013}-{alert['id']}{SUFFIX}")

    def finish(self, writer: Writer, header: Header) -> None:
        """Make a file and its index entry durable.

        Raises:
            OSError: the disk.
        """
        with self._lock:
            size = writer.finish(header)
            late_words.path_of(writer.path).unlink(missing_ok=True)
            self._forget(header.alert_id, [leg.leg_id for leg in header.legs])
            self._index.put(self._entry(writer.path, header, size=size))
            self._note_living(header.facts)

    def gone(self, alert_id: str) -> None:
        """Note that an alert is not in Redis any more."""
        self._index.mark_gone(alert_id)

    def discard(self, alert_id: str) -> None:
        """Remove an alert that Redis still has, or that another node has archived."""
        with self._lock:
            entry = self._index.get(alert_id)
            if entry is not None:
                self._remove(entry)

    def find(self, alert_id: str, *, with_raw: bool = False) -> StoredAlert | None:
        """Return an alert, or None; without the original bytes only its short facts."""
        entry = self._index.get(alert_id)
        if entry is None:
            return None
        return self._header(entry).alert if with_raw else StoredAlert(entry.facts)

    def header(self, alert_id: str) -> Header | None:
        """Return all of an alert but its deliveries, or None; the counters of its legs know of late words."""
        entry = self._index.get(alert_id)
        return replace(self._header(entry), legs=entry.legs) if entry is not None else None

    def page(self, *, before: tuple[int, str] | None, limit: int) -> list[StoredAlert]:
        """Return the newest alerts, or those after one with this time (ms) and id, with their short facts."""
        return [StoredAlert(entry.facts) for entry in self._index.page(before=before, limit=limit)]

    def by_triple(self, k1: str) -> list[str]:
        """Return the ids of alerts with a triple."""
        return self._index.by_triple(k1)

    def referrers(self, k1: str) -> list[tuple[str, str]]:
        """Return (msgType, id) of what refers to a triple."""
        return self._index.referrers(k1)

    def legs(self, leg_ids: Sequence[str]) -> dict[str, Leg]:
        """Return those of the legs that are here."""
        found: dict[str, Leg] = {}
        for leg_id in leg_ids:
            entry = self._index.of_leg(leg_id) if leg_id not in found else None
            if entry is not None:
                found |= {leg.leg_id: leg_from(leg) for leg in entry.legs}
        return found

    def segment(self, leg_id: str, number: int) -> Piece | None:
        """Return one segment with all late words, or None."""
        with self._lock:
            known = self._segments.get((leg_id, number))
            if known is None:
                entry = self._index.of_leg(leg_id)
                known = self._read(entry, leg_id, number) if entry is not None else None
                if known is not None:
                    _keep(self._segments, (leg_id, number), known, _KEPT_SEGMENTS)
            return known

    def late(self, leg_id: str, rank: int, record: Record, *, at_ms: int) -> bool:
        """Take a word that came after an alert was archived; False when the delivery is not here.

        Raises:
            OSError: the disk; the word was not taken.
        """
        number, position = divmod(rank, SEGMENT)
        with self._lock:
            entry, known = self._index.of_leg(leg_id), self.segment(leg_id, number)
            if entry is None or known is None or position >= len(known.segment):
                return False
            was = Record.unpack(known.records[position * RECORD_BYTES : (position + 1) * RECORD_BYTES])
            now = merge(was, record)
            if now == was:
                return True
            word = LateWord(
                leg_id=leg_id, rank=rank, record=now, was=was.state, at_ms=at_ms, archived_ms=entry.archived_ms
            )
            late_words.append(self._folder / entry.path, word)
            records = late_words.merged(known.records, [(position, now)])
            self._segments[leg_id, number] = replace(known, records=records)
            self._index.count(entry.alert_id, late_words.counted(entry.legs, [word]))
        return True

    def doubtful(self) -> list[str]:
        """Return the ids of alerts that were written and perhaps not taken out of Redis."""
        return self._index.not_gone()

    def tidy(self, *, now_ms: int, oldest_ms: int) -> int:
        """Remove alerts received before ``oldest_ms`` (0: none), and return how many went."""
        gone = 0
        while oldest_ms and (entries := self._index.received_before(oldest_ms, limit=_AT_ONCE)):
            with self._lock:
                for entry in entries:
                    self._remove(entry)
            gone += len(entries)
        self.living = {i: found for i, found in self.living.items() if found.expires_ms > now_ms}
        return gone

    def figures(self) -> Figures:
        """Return how much there is."""
        return self._index.figures()

    def _header(self, entry: Entry) -> Header:
        with self._lock:
            known = self._headers.get(entry.alert_id)
            if known is None or known.archived_ms != entry.archived_ms:
                known = read_header(self._folder / entry.path)
                _keep(self._headers, entry.alert_id, known, _KEPT_HEADERS)
            return known

    def _read(self, entry: Entry, leg_id: str, number: int) -> Piece | None:
        header, path = self._header(entry), self._folder / entry.path
        for stretch in header.stretches:
            if (stretch.leg_id, stretch.segment) == (leg_id, number):
                piece = read_piece(path, header, stretch)
                words = late_words.read(path, archived_ms=header.archived_ms)
                mine = [(*divmod(w.rank, SEGMENT), w.record) for w in words if w.leg_id == leg_id]
                records = late_words.merged(piece.records, [(at, r) for n, at, r in mine if n == number])
                return replace(piece, records=records)
        return None

    def _take_in(self, path: Path) -> None:
        try:
            header = read_header(path)
            words = late_words.read(path, archived_ms=header.archived_ms)
        except (OSError, ValueError) as error:
            log.error("archive_file_unreadable", file=path.name, error=str(error))  # noqa: TRY400 -- said once, in a line
            return
        self._index.put(self._entry(path, header, size=path.stat().st_size, words=words))

    def _entry(self, path: Path, header: Header, *, size: int, words: Sequence[LateWord] = ()) -> Entry:
        return Entry(
            alert_id=header.alert_id,
            archived_ms=header.archived_ms,
            gone=False,
            path=str(path.relative_to(self._folder)),
            size=size,
            facts=header.facts,
            words=len(words),
            legs=late_words.counted(header.legs, words),
        )

    def _remove(self, entry: Entry) -> None:
        path = self._folder / entry.path
        self._index.remove(entry.alert_id)
        path.unlink(missing_ok=True)
        late_words.path_of(path).unlink(missing_ok=True)
        self._forget(entry.alert_id, [leg.leg_id for leg in entry.legs])
        self.living.pop(entry.alert_id, None)

    def _forget(self, alert_id: str, leg_ids: Sequence[str]) -> None:
        self._headers.pop(alert_id, None)
        for key in [key for key in self._segments if key[0] in leg_ids]:
            del self._segments[key]

    def _note_living(self, facts: Mapping[str, str]) -> None:
        living = Living(facts["id"], facts.get("k1", ""), facts.get("k2", ""), int(facts.get("expires", 0)))
        self.living[living.alert_id] = living


def _keep(cache: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    cache[key] = value
    while len(cache) > most:
        cache.popitem(last=False)
