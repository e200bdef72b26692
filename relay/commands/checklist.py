"""A list of things that were looked at: what was found, and whether it is fit for warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from relay.commands.failures import DONE, REFUSED
from relay.commands.terminal import Sheet, clean, plain


class Level(StrEnum):
    """How good it is."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at; ``text`` says what is there, and for a fault what to do."""

    level: Level
    subject: str
    text: str


def ok(subject: str, text: str) -> Item:
    """Return an item that is as it should be."""
    return Item(Level.OK, subject, text)


def remark(subject: str, text: str) -> Item:
    """Return an item that is worth knowing."""
    return Item(Level.NOTE, subject, text)


def warning(subject: str, text: str) -> Item:
    """Return an item that works and will hurt one day."""
    return Item(Level.WARNING, subject, text)


def error(subject: str, text: str) -> Item:
    """Return an item with which the relay does not do what it promises."""
    return Item(Level.ERROR, subject, text)


def exit_code(items: Iterable[Item]) -> int:
    """Return 1 when there is an error, else 0."""
    return REFUSED if any(item.level is Level.ERROR for item in items) else DONE


def checklist_lines(items: Sequence[Item]) -> list[str]:
    """Return one line an item, then how many of each there are."""
    rows = [(item.level.value, clean(item.subject), clean(item.text)) for item in items]
    lines = plain(Sheet(columns=rows[0], rows=rows[1:])) if rows else []
    counts = {level: sum(item.level is level for item in items) for level in (Level.ERROR, Level.WARNING)}
    said = [f"{count} {level.value}{'s' if count != 1 else ''}" for level, count in counts.items() if count]
    return [*lines, "", ", ".join(said) or "everything is as it should be"]


def document(items: Sequence[Item]) -> bytes:
    """Return ``{"ok", "items": [{"level", "subject", "text"}]}`` for machines."""
    import orjson

    return orjson.dumps({"ok": exit_code(items) == DONE, "items": [asdict(item) for item in items]})
