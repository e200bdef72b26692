"""A file that holds one alert: its bytes as they are, and whether they are XML or JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from relay.commands.failures import Failed
from relay.commands.input_file import read_bytes

CAP = "application/cap+xml"
JSON = "application/json"


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
    body = read_bytes(path)
    if not body.strip():
        raise Failed(f"{path} is empty")
    return AlertFile(body, media_of(body))


def media_of(body: bytes) -> str:
    """Return the media type of an alert by its first character that means something, whatever its encoding."""
    start = body[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return JSON if start[:1] in (b"{", b"[") else CAP
