"""Just enough of HTTP/1.1 for a client that must cost next to nothing: requests as bytes, answers cut off a buffer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_NO_BODY = (b"204", b"304")
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: status, the bytes of its head, and its body without the chunks it may have come in."""

    status: int
    head: bytes
    body: bytes
    size: int

    def header(self, name: str) -> str:
        """Return a header, empty when it is not there."""
        found = re.search(rb"\r\n%b: *([^\r]*)" % re.escape(name.encode()), self.head, re.IGNORECASE)
        return found[1].decode("latin-1") if found else ""


def request(
    method: str, path: str, *, key: str = "", content: str = "", body: bytes = b"", headers: Mapping[str, str] = _NONE
) -> bytes:
    """Return a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"Authorization: Bearer {key}"] if key else []
    lines += [f"Content-Type: {content}"] if content else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def cut(buffer: bytearray) -> Answer | None:
    """Take the first whole answer off ``buffer``; None while there is none."""
    ends = buffer.find(b"\r\n\r\n")
    if ends < 0:
        return None
    head = bytes(buffer[: ends + 4])
    status = head[9:12]
    if status in _NO_BODY:
        return _take(buffer, head, b"", len(head))
    if _CHUNKED.search(head):
        return _cut_chunked(buffer, head)
    length = _LENGTH.search(head)
    size = len(head) + (int(length[1]) if length else 0)
    return _take(buffer, head, bytes(buffer[len(head) : size]), size) if len(buffer) >= size else None


def _cut_chunked(buffer: bytearray, head: bytes) -> Answer | None:
    at, body = len(head), b""
    while (line := buffer.find(b"\r\n", at)) >= 0:
        length = int(buffer[at:line].split(b";")[0], 16)
        after = line + 2 + length + 2
        if len(buffer) < after:
            return None
        if not length:
            return _take(buffer, head, body, after)
        body += buffer[line + 2 : line + 2 + length]
        at = after
    return None


def _take(buffer: bytearray, head: bytes, body: bytes, size: int) -> Answer:
    del buffer[:size]
    return Answer(int(head[9:12]), head, body, size)
