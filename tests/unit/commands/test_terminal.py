"""What reaches a terminal or a pipe."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.commands import terminal
from relay.commands.terminal import Sheet, clean, plain, show


@given(st.text())
def test_nothing_that_steers_a_terminal_comes_through(text: str) -> None:
    """No text of an agency can move the cursor, turn a line around or begin a new one."""
    shown = clean(text)

    assert all(char.isprintable() or char in "\u200c\u200d" for char in shown)


def test_escape_sequences_are_taken_out() -> None:
    """A headline cannot colour the screen red or green."""
    assert "\x1b" not in clean("\x1b[32mall clear\x1b[0m")


def test_joiners_of_persian_stay() -> None:
    """می‌خواهم without its joiner is another word."""
    assert clean("می\u200cخواهم") == "می\u200cخواهم"


def test_none_is_nothing() -> None:
    """A field that is null is empty, not the word None."""
    assert clean(None) == ""


def test_columns_stand_below_each_other() -> None:
    """Columns are aligned by what a terminal shows, wide characters too, and nothing is cut."""
    lines = plain(Sheet(columns=("id", "name"), rows=[("a", "地震"), ("long-one", "x")]))

    assert lines == ["id        name", "a         地震", "long-one  x"]


def test_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """What is piped has neither boxes nor colours nor wrapped lines."""
    show(Sheet(columns=("id", "text"), rows=[("a", "x" * 300)]))

    assert capsys.readouterr().out == f"id  text\na   {'x' * 300}\n"


def test_person_gets_a_table_that_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a text in brackets stays as it is: it is no command to the renderer."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    show(Sheet(columns=("text",), rows=[("[red]alarm[/red]",)]))

    assert "[red]alarm[/red]" in screen.getvalue()


def test_no_rows_are_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty table says so."""
    show(Sheet(columns=("id",), rows=[], empty="no alerts"))

    assert capsys.readouterr().out == "no alerts\n"


def test_machines_get_the_bytes_and_one_line_end(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """An answer is passed on unchanged."""
    terminal.raw(b'{"a":1}')
    terminal.raw(b'{"a":2}\n')

    assert capsysbinary.readouterr().out == b'{"a":1}\n{"a":2}\n'


def test_colours_stay_out_of_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Complaints in a log file have no escape codes."""
    terminal.complain("no")

    assert capsys.readouterr().err == "no\n"
