"""What the crowd was told, read from the file that its channel writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True)
class Told:
    """One line: who was told what."""

    delivery_id: str
    number: str
    text: str


class Crowd:
    """Reads the file as it grows; ``told`` is everything so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.told: list[Told] = []
        self._about: dict[str, list[Told]] = {}
        self._seen: dict[str, int] = {}

    def look(self) -> list[Told]:
        """Read what came since the last look, and return everything."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._offset)
                grown = file.read()
            whole = grown[: grown.rfind(b"\n") + 1]  # a line may be half written
            self._offset += len(whole)
            self.told += read_lines(whole)
        return self.told

    def about(self, mark: str) -> list[Told]:
        """Look, and return what says ``mark``; only new lines are searched, since this is asked often."""
        new = self.look()[self._seen.get(mark, 0) :]
        self._seen[mark] = len(self.told)
        found = self._about.setdefault(mark, [])
        found += [told for told in new if mark in told.text]
        return found


def read_lines(lines: bytes) -> list[Told]:
    """Return what whole lines say."""
    rows = (orjson.loads(line) for line in lines.splitlines())
    return [Told(row["delivery_id"], row["recipient"], row["text"]) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubles:
    """What came more than once against what the relay labelled; sets of delivery ids."""

    missing: int
    doubled: frozenset[str]
    labelled: frozenset[str]

    @property
    def unlabelled(self) -> frozenset[str]:
        """Came twice, and the relay does not say so."""
        return self.doubled - self.labelled


def doubles(told: Iterable[Told], *, expected: Iterable[str], labelled: Iterable[str]) -> Doubles:
    """Compare the ``expected`` numbers and the ``labelled`` delivery ids with what was told."""
    lines = list(told)
    counts = Counter(line.delivery_id for line in lines)
    return Doubles(
        missing=len(set(expected) - {line.number for line in lines}),
        doubled=frozenset(name for name, n in counts.items() if n > 1),
        labelled=frozenset(labelled),
    )
