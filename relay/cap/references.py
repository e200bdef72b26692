"""What ``references`` says: triplets that name other messages, in whatever shape agencies send them (cap-rules 7)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from relay.cap.model import Alert, Reference, Time
from relay.cap.normal import base32, nfc
from relay.cap.times import read_time, seconds


@dataclass(frozen=True, slots=True)
class ReferencesReading:
    """The triplets of a ``references`` text in order, and the words in it that are no triplet."""

    references: tuple[Reference, ...]
    malformed: tuple[str, ...] = ()


_NONE = ReferencesReading(())


def read_references(text: str) -> ReferencesReading:
    """Read whitespace-separated ``sender,identifier,sent`` triplets; a time is repaired silently."""
    if not text:
        return _NONE
    good: list[Reference] = []
    bad: list[str] = []
    for word in text.split():
        reference = _triplet(word)
        if reference is None:
            bad.append(word)
        else:
            good.append(reference)
    return ReferencesReading(tuple(good), tuple(bad))


def _triplet(word: str) -> Reference | None:
    parts = word.split(",")
    if len(parts) != 3 or not all(parts):
        return None
    sender, identifier, sent = parts
    time = read_time(sent).time
    return Reference(sender, identifier, time) if time is not None else None


def message_key(sender: str, identifier: str, sent: Time) -> str:
    """Return K1, the key of a message: 26 characters that depend on the triple, with ``sent`` as an instant."""
    triple = f"k1\0{sender}\0{identifier}\0{seconds(sent)}"
    return base32(hashlib.sha256(nfc(triple).encode()).digest())


def reference_key(reference: Reference) -> str:
    """Return the K1 of the message that ``reference`` names."""
    return message_key(reference.sender, reference.identifier, reference.sent)


def names_itself(alert: Alert, reference: Reference) -> bool:
    """Whether the reference is to this very message (the whole triple)."""
    return (
        reference.identifier == alert.identifier
        and reference.sender == alert.sender
        and reference.sent.instant == alert.sent.instant
    )


def names_namesake(alert: Alert, reference: Reference) -> bool:
    """Whether the reference is to another message that has this identifier: an agency that re-uses identifiers."""
    return (
        reference.identifier == alert.identifier
        and reference.sender == alert.sender
        and reference.sent.instant != alert.sent.instant
    )


def is_postdated(alert: Alert, reference: Reference) -> bool:
    """Whether the message referred to says that it was sent after this one."""
    return reference.sent.instant > alert.sent.instant
