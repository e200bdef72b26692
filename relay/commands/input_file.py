"""A file that a command is given; ``-`` is standard input."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from relay.commands.failures import Failed


def _there(path: Path) -> Path:
    if not is_stdin(path) and not path.is_file():
        raise typer.BadParameter(f"there is no file {path}" if not path.exists() else f"{path} is no file")
    return path


def is_stdin(path: Path) -> bool:
    """Return whether a path stands for standard input."""
    return str(path) == "-"


InputFile = Annotated[Path, typer.Argument(metavar="FILE", callback=_there, help="A file; - is standard input.")]


def read_bytes(path: Path) -> bytes:
    """Return all that the file holds.

    Raises:
        Failed: it cannot be read.
    """
    try:
        with opened(path) as file:
            return file.read()
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}") from error


def opened(path: Path) -> BinaryIO:
    """Open the file for reading; standard input stays open when this is closed."""
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if is_stdin(path) else path.open("rb")


def size(path: Path) -> int | None:
    """Return how many bytes there are, None where nobody knows."""
    return None if is_stdin(path) else path.stat().st_size
