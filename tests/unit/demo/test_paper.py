"""What the demo prints fits, whatever the script."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len

from relay.demo.paper import Paper, fit, many, row, seconds, shorten, shown_path, wrap


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("text", ["ЖЕР СІЛКІНІСІ", "地震警報", "é" * 30, "", "e\u0301" * 30])
def test_fit(text: str) -> None:
    """A cell is exactly as wide as it should be, also with wide and combining characters."""
    assert cell_len(fit(text, 12)) == 12


def test_cut_text_says_so() -> None:
    """What does not fit ends with an ellipsis; what fits is left alone."""
    assert shorten("Сейсмология", 7) == "Сейсмо…"
    assert shorten("Сейсмо", 7) == "Сейсмо"


def test_row() -> None:
    """Columns stand under each other and the last one takes what is left."""
    assert row([("who", 5), ("in", 4), ("what arrived", 0)], width=21) == "who   in   what arri…"


def test_wrap() -> None:
    """A long line is broken at spaces, and no part is wider than asked."""
    lines = wrap("✓ один два три четыре пять", 12)

    assert lines == ["✓ один два", "  три четыре", "  пять"]
    assert wrap("short", 12) == ["short"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0141, "14 ms"), (0.0, "0 ms"), (0.0999, "100 ms"), (0.1, "0.1 s"), (5.04, "5.0 s")]
)
def test_seconds(value: float, text: str) -> None:
    """A duration has the unit that a person would choose."""
    assert seconds(value) == text


def test_many() -> None:
    """A number agrees with its noun."""
    assert [many(1, "part"), many(2, "part"), many(20_000, "delivery", "deliveries")] == [
        "1 part",
        "2 parts",
        "20,000 deliveries",
    ]


def test_shown_path() -> None:
    """A path is shown as it would be typed."""
    assert shown_path(Path("var/demo")) == "./var/demo"
    assert shown_path(Path("/tmp/demo")) == "/tmp/demo"


def test_nobody_watches() -> None:
    """Where no terminal is, progress leaves no trace."""
    out = io.StringIO()
    paper = Paper(out)
    paper.busy("waiting")
    paper.scene(1, "Scene")
    paper.named("start", "relay")

    assert out.getvalue() == "1  Scene\nstart     relay\n"


def test_progress_is_not_left_behind() -> None:
    """On a terminal the next line takes the place of the progress."""
    out = Terminal()
    paper = Paper(out)
    paper.busy("waiting")
    paper.detail("done")

    assert out.getvalue() == "\r\x1b[K   … waiting\r\x1b[K   done\n"


def test_details_are_wrapped_and_tables_cut() -> None:
    """A sentence goes on in the next line; a row of a table never does."""
    out = io.StringIO()
    paper = Paper(out)
    paper.detail("слово " * 40)
    paper.table((4, 0), [("a", "слово " * 40)])
    lines = out.getvalue().splitlines()

    assert len(lines) == 3
    assert all(cell_len(line) <= paper.width for line in lines)
