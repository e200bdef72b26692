"""A file that holds one alert: its bytes as they are, and whether they are XML or JSON."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from relay.commands.failures import Failed

CAP = "application/cap+xml"
JSON = "application/json"

AlertPath = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, allow_dash=True, help="An alert, CAP 1.2 XML or JSON; - is stdin."
    ),
]


@dataclass(frozen=True, slots=True)
class AlertFile:
    """The bytes, and the media type they are sent as."""

    body: bytes
    media: str

    @property
    def is_json(self) -> bool:
        """Whether this is JSON and not XML."""
        return self.media == JSON


def read(path: Path) -> AlertFile:
    """Read an alert; ``-`` is standard input.

    Raises:
        Failed: it cannot be read, or is empty.
    """
    try:
        body = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}") from error
    if not body.strip():
        raise Failed(f"{path} is empty")
    return AlertFile(body, media_of(body))


def media_of(body: bytes) -> str:
    """Return the media type of an alert by its first character that means something, whatever its encoding."""
    start = body[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return JSON if start[:1] in (b"{", b"[") else CAP
