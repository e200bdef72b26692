"""The outcome log of a segment: provider ids and the history of attempts, appended as packed entries.

The usual entry says that a delivery was accepted with one id and nothing else: position, length and the id, packed
like the text it mostly is.  All else of it is in the record.  Other entries are whole; a log may have both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from relay.fanout import id_text
from relay.tracking.states import State

#: position, state, send number, channel, reason, time (hundredths of a second since the leg was made), text length
_ENTRY = struct.Struct("<HBBBBIB")

#: The usual entry: this bit and the form of its text (see :mod:`relay.fanout.id_text`) in the upper bits of the
#: position, which needs twelve; then the length of the text.  Whole entries, the only ones of the first version, have
#: no such bit.
_USUAL = struct.Struct("<HB")
_IS_USUAL = 0x8000
_FORM = 12
_POSITION = 0x0FFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened to the delivery at ``position``.

    ``text`` holds provider ids, separated by spaces, or ``!`` and the reason where no id was given.  A usual entry
    (:func:`accepted`) says nothing of ``send``, ``channel`` and ``at``: they are 0, the record knows them.
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


def accepted(position: int, provider_id: str) -> bytes:
    """Return the usual entry: accepted, with one id; an id beyond 255 bytes is cut."""
    form, length, packed = id_text.pack(provider_id)
    return _USUAL.pack(_IS_USUAL | form << _FORM | position, length) + packed


def entries(log: bytes) -> Iterator[Entry]:
    """Read a log in order; a torn end is ignored."""
    at = 0
    while at + _USUAL.size <= len(log):
        position, length = _USUAL.unpack_from(log, at)
        found = _usual(log, at, position, length) if position & _IS_USUAL else _whole(log, at)
        if found is None:
            return
        entry, at = found
        yield entry


def _usual(log: bytes, at: int, position: int, length: int) -> tuple[Entry, int] | None:
    form = position >> _FORM & 3
    begin = at + _USUAL.size
    end = begin + id_text.size(form, length)
    if end > len(log):
        return None
    text = id_text.unpack(form, length, log[begin:end])
    entry = Entry(position=position & _POSITION, state=State.ACCEPTED, send=0, channel=0, reason=0, at=0, text=text)
    return entry, end


def _whole(log: bytes, at: int) -> tuple[Entry, int] | None:
    begin = at + _ENTRY.size
    if begin > len(log):
        return None
    position, state, send, channel, reason, when, length = _ENTRY.unpack_from(log, at)
    end = begin + length
    if end > len(log):
        return None
    text = log[begin:end].decode(errors="replace")
    entry = Entry(position=position, state=State(state), send=send, channel=channel, reason=reason, at=when, text=text)
    return entry, end
