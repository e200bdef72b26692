"""Messages on the wire: built once per content, completed per delivery.

``email.message.EmailMessage`` costs over a millisecond a message; here it costs one join and the encoding of what is
personal.  Neither a boundary nor a bare CR or LF can occur in a text: see :mod:`adapters.email.part`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr, getaddresses
from typing import Final

from adapters.email.address import is_mailbox
from adapters.email.part import Part
from relay.adapter import Class, Content, Hole, Item

_BOUNDARY: Final = "=_chapar_alternative"  # "=_" occurs neither in base64 nor in quoted-printable
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_ID: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_URGENT: Final = b"Importance: high\r\nX-Priority: 1\r\nPriority: urgent\r\n"
_CACHED: Final = 64  # contents whose messages are kept half built


class Composer:
    """Writes messages from one sender.

    ``sender`` is ``mailbox`` or ``Name <mailbox>``; ``host`` is the domain of Message-IDs.

    Raises:
        ValueError: the sender or the host cannot be used.
    """

    def __init__(self, *, sender: str, host: str) -> None:
        found = getaddresses([sender])
        name, self.envelope = found[0] if len(found) == 1 else ("", "")
        if not is_mailbox(self.envelope) or one_line(sender) != sender.strip():
            raise ValueError(f'the sender "{sender}" is not a mailbox such as "Alerts <alerts@meteo.example>"')
        if not _ID.fullmatch(host):
            raise ValueError(f'"{host}" is not a host name')
        self._from = formataddr((name, self.envelope), charset="utf-8")
        self._host = host
        self._drafts: dict[int, tuple[Content, _Draft]] = {}
        self._date: tuple[int, str] = (0, "")

    def message_id(self, item: Item) -> str:
        """Return the Message-ID of a delivery; it is the same at every attempt.

        Raises:
            ValueError: the delivery's id cannot stand in a header.
        """
        if not _ID.fullmatch(item.delivery_id):
            raise ValueError("the delivery's id cannot stand in a header")
        return f"<{item.delivery_id}@{self._host}>"

    def compose(self, item: Item, *, now: datetime) -> bytes:
        """Return the whole message for one delivery, with CRLF line ends; its address must be a mailbox.

        Raises:
            ValueError: the delivery's id cannot stand in a header.
        """
        draft = self._draft(item.content)
        own = f"To: {item.address}\r\nDate: {self._now(now)}\r\nMessage-ID: {self.message_id(item)}\r\n".encode("ascii")
        urgent = _URGENT if item.klass in {Class.P0, Class.P1} else b""
        return b"".join((own, urgent, draft.headers, *[part.encoded(item.values) for part in draft.parts], draft.end))

    def _draft(self, content: Content) -> _Draft:
        # By identity: hashing a content would hash all of its text, for every delivery.  The entry holds the
        # content, so that its id is not given to another one.
        known = self._drafts.get(id(content))
        if known is not None:
            return known[1]
        if len(self._drafts) >= _CACHED:
            del self._drafts[next(iter(self._drafts))]
        draft = self._write(content)
        self._drafts[id(content)] = (content, draft)
        return draft

    def _write(self, content: Content) -> _Draft:
        headers = [
            f"From: {self._from}",
            f"Subject: {_subject(content)}",
            "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated",
        ]
        if _LANGUAGE.fullmatch(content.language):
            headers.append(f"Content-Language: {content.language}")
        if content.html is None:
            return _Draft("\r\n".join([*headers, ""]).encode("ascii"), (Part("", content.text, "plain"),), b"")
        headers.append(f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"')
        parts = (
            Part(f"--{_BOUNDARY}\r\n", content.text, "plain"),
            Part(f"--{_BOUNDARY}\r\n", content.html, "html"),
        )
        return _Draft("\r\n".join([*headers, "", ""]).encode("ascii"), parts, f"--{_BOUNDARY}--\r\n".encode("ascii"))

    def _now(self, now: datetime) -> str:
        second = int(now.timestamp())
        if self._date[0] != second:
            self._date = (second, format_datetime(now))
        return self._date[1]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What all messages of one content share."""

    headers: bytes
    parts: tuple[Part, ...]
    end: bytes


def one_line(text: str) -> str:
    """Return ``text`` without control characters and line ends, with single spaces."""
    kept = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    return " ".join(kept.split()).encode("utf-8", "replace").decode()


def _subject(content: Content) -> str:
    """Return the subject, folded; without one, the beginning of the text."""
    first = next((part for part in content.text.parts if not isinstance(part, Hole)), "")
    subject = one_line(content.subject) or one_line(first)[:78]
    # Words that a fold cannot break, and text that looks encoded, must be encoded although they are ASCII.
    plain = subject.isascii() and "=?" not in subject and all(len(word) < 60 for word in subject.split())
    header = Header(subject, "us-ascii" if plain else "utf-8", maxlinelen=76, header_name="Subject")
    return header.encode(linesep="\r\n")
