"""The outcome log of a segment: provider ids and the history of attempts, appended as packed entries."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from relay.tracking.states import State

#: position, state, send number, channel, reason, time (hundredths of a second since the leg was made), text length
_ENTRY = struct.Struct("<HBBBBIB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened to the delivery at ``position``.

    ``text`` holds provider ids, separated by spaces, or ``!`` and the reason where no id was given.
    """

    position: int
    state: State
    send: int
    channel: int
    reason: int
    at: int
    text: str = ""

    @property
    def provider_ids(self) -> str:
        """The provider's ids, separated by spaces; empty when it gave none."""
        return "" if self.text.startswith("!") else self.text

    @property
    def word(self) -> str:
        """The reason in the adapter's own word; empty when ids were given."""
        return self.text[1:] if self.text.startswith("!") else ""

    def pack(self) -> bytes:
        """Return the stored form; text beyond 255 bytes is cut."""
        text = self.text.encode()[:255]
        head = _ENTRY.pack(
            self.position, self.state, min(self.send, 255), self.channel, self.reason, self.at, len(text)
        )
        return head + text


def entries(log: bytes) -> Iterator[Entry]:
    """Read a log in order; a torn end is ignored."""
    at = 0
    while at + _ENTRY.size <= len(log):
        position, state, send, channel, reason, when, length = _ENTRY.unpack_from(log, at)
        at += _ENTRY.size
        if at + length > len(log):
            return
        text = log[at : at + length].decode(errors="replace")
        at += length
        yield Entry(
            position=position, state=State(state), send=send, channel=channel, reason=reason, at=when, text=text
        )
