"""The outcome log of a segment: provider ids and the history of attempts, appended as packed entries.

The usual entries say that deliveries were accepted with one id and nothing else: a run of positions, and their ids as
few bytes (see :mod:`relay.fanout.id_text`).  All else of them is in the records.  Other entries are whole; a log may
have both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from relay.fanout import id_text
from relay.tracking.states import State

#: position, state, send number, channel, reason, time (hundredths of a second since the leg was made), text length
_ENTRY = struct.Struct("<HBBBBIB")

#: A run: this bit and the form of its texts in the upper bits of the first position, which needs twelve; then how long
#: each text is, and how many there are.  Whole entries, the only ones of the first version, have no such bit.
_RUN = struct.Struct("<HBB")
_IS_RUN = 0x8000
_FORM = 12
_POSITION = 0x0FFF
_LONGEST_RUN = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened to the delivery at ``position``.

    ``text`` holds provider ids, separated by spaces, or ``!`` and the reason where no id was given.  A usual one
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


def accepted(ids: Sequence[tuple[int, str]]) -> bytes:
    """Return the usual entries: accepted, each with one id (position, id); an id beyond 255 bytes is cut."""
    packed: list[bytes] = []
    run: list[bytes] = []
    first, kind = 0, (0, 0)
    for position, provider_id in ids:
        form, length, text = id_text.pack(provider_id)
        if not run or position != first + len(run) or (form, length) != kind or len(run) == _LONGEST_RUN:
            packed += _run(first, kind, run)
            first, kind, run = position, (form, length), []
        run.append(text)
    packed += _run(first, kind, run)
    return b"".join(packed)


def _run(first: int, kind: tuple[int, int], texts: Sequence[bytes]) -> list[bytes]:
    form, length = kind
    return [_RUN.pack(_IS_RUN | form << _FORM | first, length, len(texts)), *texts] if texts else []


def entries(log: bytes) -> Iterator[Entry]:
    """Read a log in order; a torn end is ignored."""
    at = 0
    while at + _RUN.size <= len(log):
        head, length, count = _RUN.unpack_from(log, at)
        if head & _IS_RUN:
            form, at = head >> _FORM & 3, at + _RUN.size
            size = id_text.size(form, length)
            if at + size * count > len(log):
                return
            for number in range(count):
                text = id_text.unpack(form, length, log[at : at + size])
                at += size
                yield _usual((head & _POSITION) + number, text)
            continue
        found = _whole(log, at)
        if found is None:
            return
        entry, at = found
        yield entry


def _usual(position: int, text: str) -> Entry:
    return Entry(position=position, state=State.ACCEPTED, send=0, channel=0, reason=0, at=0, text=text)


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
