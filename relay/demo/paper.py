"""What the demo prints: columns that fit whatever the script, a line of progress where somebody watches."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from rich.cells import cell_len, set_cell_size

NARROW: Final = 80
WIDE: Final = 132
_ERASE: Final = "\r\x1b[K"


def fit(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` terminal cells: filled with spaces, or cut with ``…``."""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    return set_cell_size(text, width - 1) + "…"


def row(cells: Sequence[tuple[str, int]], *, width: int) -> str:
    """Return one line of a table; each cell with its width, the last one takes what is left of ``width``."""
    *first, (last, _) = cells
    line = "".join(fit(text, size) + " " for text, size in first)
    return (line + shorten(last, max(width - cell_len(line), 10))).rstrip()


def shorten(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` cells."""
    return fit(text, width).rstrip() if cell_len(text) > width else text


def wrap(text: str, width: int) -> list[str]:
    """Return ``text`` as lines of at most ``width`` cells, broken at spaces; the later ones stand in by two."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line.strip() and cell_len(longer) > width:
            lines.append(line)
            line = f"  {word}"
        else:
            line = longer
    return [*lines, line]


def seconds(value: float) -> str:
    """Return a duration as a person says it: ``14 ms`` below a tenth of a second, ``0.2 s`` above."""
    return f"{value * 1000:.0f} ms" if value < 0.1 else f"{value:.1f} s"


def many(n: int, one: str, more: str = "") -> str:
    """Return a number with its noun: ``1 delivery``, ``20,000 deliveries``."""
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def shown_path(path: Path) -> str:
    """Return a path as a person types it: below the present folder with ``./`` before it."""
    return str(path) if path.is_absolute() else f"./{path}"


class Paper:
    """Writes lines to ``out``; progress only when that is a terminal, and never left behind."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()
        self._busy = False
        self.width = min(max(shutil.get_terminal_size((WIDE, 24)).columns, NARROW), WIDE) if self._live else WIDE

    def line(self, text: str = "") -> None:
        """Write one line."""
        self._clear()
        self._out.write(f"{text}\n")
        self._out.flush()

    def named(self, name: str, text: str) -> None:
        """Write a word, and what there is to say of it."""
        self.line(f"{fit(name, 9)} {text}".rstrip())

    def scene(self, number: int, title: str) -> None:
        """Begin a scene."""
        self.line(f"{number}  {title}")

    def detail(self, text: str) -> None:
        """Write what belongs to the scene, on as many lines as it needs."""
        for line in wrap(text, self.width - 3):
            self.line(f"   {line}".rstrip())

    def table(self, widths: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
        """Write rows under each other, indented as details."""
        for cells in rows:
            self.line("   " + row(list(zip(cells, widths, strict=True)), width=self.width - 3))

    def busy(self, text: str) -> None:
        """Say what is being waited for, in a line that the next one replaces; nothing where nobody watches."""
        if self._live:
            self._out.write(f"{_ERASE}   … {shorten(text, self.width - 6)}")
            self._out.flush()
            self._busy = True

    def _clear(self) -> None:
        if self._busy:
            self._out.write(_ERASE)
            self._busy = False
