"""The index of the archive: which alerts it holds and in which files; made anew from the files when it is lost."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from relay.tracking.archive_file import ArchivedLeg, legs_json, read_legs

_VERSION = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS alerts (
  id TEXT PRIMARY KEY, received INTEGER, expires INTEGER, archived INTEGER, gone INTEGER,
  k1 TEXT, k2 TEXT, path TEXT, size INTEGER, words INTEGER, facts BLOB, legs BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_time ON alerts (received, id);
CREATE INDEX IF NOT EXISTS by_triple ON alerts (k1);
CREATE INDEX IF NOT EXISTS by_end ON alerts (expires);
CREATE TABLE IF NOT EXISTS legs (leg TEXT PRIMARY KEY, id TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS legs_of ON legs (id);
CREATE TABLE IF NOT EXISTS refers (k1 TEXT, kind TEXT, id TEXT, PRIMARY KEY (k1, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refers_of ON refers (id);
"""
#: Facts that only the file holds: they are long, and no list shows them.
_LONG = frozenset({"findings"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the index knows of one archived alert: short facts, legs with their counters, and the file.

    ``gone``: it was taken out of Redis after it was written; before, Redis has the newer truth.  ``words`` is how many
    late words the counters of the legs know of.
    """

    alert_id: str
    archived_ms: int
    gone: bool
    path: str
    size: int
    words: int
    facts: Mapping[str, str]
    legs: Sequence[ArchivedLeg]


@dataclass(frozen=True, slots=True)
class Living:
    """An archived alert whose time is not over: a repeated post of it must be known."""

    alert_id: str
    k1: str
    k2: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How many alerts the archive holds, in how many bytes, and when the oldest was received (ms; 0: none)."""

    alerts: int
    bytes: int
    oldest_ms: int


class Index:
    """One SQLite file; every call blocks for a moment, from any thread, and raises OSError when the disk fails."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = _opened(path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def put(self, entry: Entry) -> None:
        """Add an alert, or replace what was known of it."""
        facts = {name: value for name, value in entry.facts.items() if name not in _LONG}
        row = (
            *(entry.alert_id, int(facts.get("received", 0)), int(facts.get("expires", 0)), entry.archived_ms),
            *(entry.gone, facts.get("k1", ""), facts.get("k2", ""), entry.path, entry.size, entry.words),
            *(orjson.dumps(facts), orjson.dumps(legs_json(entry.legs))),
        )
        with self._writing() as db:
            _forget(db, entry.alert_id)
            db.execute("INSERT INTO alerts VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", row)
            db.executemany(
                "INSERT OR REPLACE INTO legs VALUES (?,?)", [(leg.leg_id, entry.alert_id) for leg in entry.legs]
            )
            refers = [(k1, facts.get("msgType", ""), entry.alert_id) for k1 in facts.get("referenced", "").split()]
            db.executemany("INSERT OR REPLACE INTO refers VALUES (?,?,?)", refers)

    def count(self, alert_id: str, legs: Sequence[ArchivedLeg]) -> None:
        """Replace the counters of an alert's legs: they know of one late word more."""
        with self._writing() as db:
            db.execute(
                "UPDATE alerts SET legs = ?, words = words + 1 WHERE id = ?", (orjson.dumps(legs_json(legs)), alert_id)
            )

    def mark_gone(self, alert_id: str) -> None:
        """Note that the alert is not in Redis any more."""
        with self._writing() as db:
            db.execute("UPDATE alerts SET gone = 1 WHERE id = ?", (alert_id,))

    def remove(self, alert_id: str) -> None:
        """Forget an alert."""
        with self._writing() as db:
            _forget(db, alert_id)

    def get(self, alert_id: str) -> Entry | None:
        """Return one alert, or None."""
        return next(iter(self._entries("WHERE id = ?", alert_id)), None)

    def of_leg(self, leg_id: str) -> Entry | None:
        """Return the alert that a leg belongs to, or None."""
        return next(iter(self._entries("WHERE id = (SELECT id FROM legs WHERE leg = ?)", leg_id)), None)

    def page(self, *, before: tuple[int, str] | None, limit: int) -> list[Entry]:
        """Return the newest alerts, or those that come after one with this time (ms) and id."""
        if before is None:
            return self._entries("ORDER BY received DESC, id DESC LIMIT ?", limit)
        return self._entries("WHERE (received, id) < (?, ?) ORDER BY received DESC, id DESC LIMIT ?", *before, limit)

    def received_before(self, ms: int, *, limit: int) -> list[Entry]:
        """Return the oldest alerts that were received before a time."""
        return self._entries("WHERE received < ? ORDER BY received LIMIT ?", ms, limit)

    def by_triple(self, k1: str) -> list[str]:
        """Return the ids of alerts with a triple."""
        return [row[0] for row in self._rows("SELECT id FROM alerts WHERE k1 = ? ORDER BY id", k1)]

    def referrers(self, k1: str) -> list[tuple[str, str]]:
        """Return (msgType, id) of what refers to a triple."""
        return [(row[0], row[1]) for row in self._rows("SELECT kind, id FROM refers WHERE k1 = ? ORDER BY id", k1)]

    def living(self, now_ms: int) -> list[Living]:
        """Return the alerts whose time is not over."""
        return [Living(*row) for row in self._rows("SELECT id, k1, k2, expires FROM alerts WHERE expires > ?", now_ms)]

    def paths(self) -> dict[str, tuple[str, int]]:
        """Return for each file the alert's id, and how many late words are counted."""
        return {row[0]: (row[1], row[2]) for row in self._rows("SELECT path, id, words FROM alerts")}

    def not_gone(self) -> list[str]:
        """Return the ids of alerts that were written and perhaps not taken out of Redis."""
        return [row[0] for row in self._rows("SELECT id FROM alerts WHERE gone = 0")]

    def figures(self) -> Figures:
        """Return how much there is."""
        count, size, oldest = self._rows("SELECT COUNT(*), SUM(size), MIN(received) FROM alerts")[0]
        return Figures(count, size or 0, oldest or 0)

    def _entries(self, tail: str, *values: int | str) -> list[Entry]:
        rows = self._rows(f"SELECT id, archived, gone, path, size, words, facts, legs FROM alerts {tail}", *values)  # noqa: S608 -- constant tails
        return [
            Entry(
                alert_id=row[0],
                archived_ms=row[1],
                gone=bool(row[2]),
                path=row[3],
                size=row[4],
                words=row[5],
                facts=orjson.loads(row[6]),
                legs=read_legs(orjson.loads(row[7])),
            )
            for row in rows
        ]

    def _rows(self, query: str, *values: int | str) -> list[tuple[Any, ...]]:
        with self._lock, _as_disk():
            return self._db.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _as_disk(), self._db:
            self._db.execute("BEGIN")
            yield self._db


@contextlib.contextmanager
def _as_disk() -> Iterator[None]:
    """Let a failing index be a failing disk, which it is: one error for whoever asks."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(f"the archive's index: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    """Open the index; one that is damaged or of another version is made anew."""
    for _ in range(2):
        db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            # A commit that a power cut takes back is found again among the files, which are synced.
            db.execute("PRAGMA synchronous = NORMAL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version in (0, _VERSION):
                db.executescript(_TABLES)
                db.execute(f"PRAGMA user_version = {_VERSION}")
                return db
        except sqlite3.DatabaseError:
            pass
        db.close()
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    raise OSError(f"{path} cannot be made")


def _forget(db: sqlite3.Connection, alert_id: str) -> None:
    db.execute("DELETE FROM legs WHERE id = ?", (alert_id,))
    db.execute("DELETE FROM refers WHERE id = ?", (alert_id,))
    db.execute("DELETE FROM alerts WHERE id = ?", (alert_id,))
