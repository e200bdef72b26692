"""What reaches the terminal: tables for people, plain columns for a pipe, and nothing that could steer a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import typer

_GAP = "  "
_JOINERS = "\u200c\u200d"  # Persian and Kurdish names are wrong without them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table before it is shown; ``empty`` is the sentence that stands for no rows."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    empty: str = ""


def clean(text: object) -> str:
    """Return ``text`` on one line, with what a terminal would obey (control and direction characters) taken out."""
    words = "" if text is None else str(text)
    return "".join([char if char.isprintable() or char in _JOINERS else " " for char in words]).strip()


def plain(sheet: Sheet) -> list[str]:
    """Return the lines of a table without boxes or colours: columns two spaces apart, nothing cut or wrapped."""
    from rich.cells import cell_len

    table = [sheet.columns, *sheet.rows]
    widths = [max(cell_len(row[n]) for row in table) for n in range(len(sheet.columns))]
    return [
        _GAP.join([cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]).rstrip()
        for row in table
    ]


def show(sheet: Sheet) -> None:
    """Write a table to standard output: with rich for a person, in plain columns for a pipe."""
    if not sheet.rows:
        say(sheet.empty)
    elif sys.stdout.isatty():
        _draw(sheet)
    else:
        for line in plain(sheet):
            typer.echo(line)


def _draw(sheet: Sheet) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in sheet.columns:
        table.add_column(column, overflow="fold")
    for row in sheet.rows:
        table.add_row(*[Text(cell) for cell in row])
    Console().print(table)


def say(line: str) -> None:
    """Write a line to standard output; an empty one is left out."""
    if line:
        typer.echo(line)


def complain(line: str) -> None:
    """Write a line to standard error, red for a person."""
    typer.secho(line, err=True, fg="red" if sys.stderr.isatty() else None)


def note(line: str) -> None:
    """Write a remark to standard error, so that what is piped on stays the result alone."""
    typer.echo(line, err=True)


def raw(body: bytes) -> None:
    """Write a machine's answer unchanged, on lines of its own."""
    typer.echo(body, nl=not body.endswith(b"\n"))
