"""The node's memory of recent alerts: the first look for duplicates, and the only one while Redis is away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from relay.intake.frames import Frame, FrameType
from relay.intake.records import AcceptRecord, decode_as


class Kind(StrEnum):
    """What an alert is to what is known."""

    NEW = "new"
    SAME = "same"  # 200, duplicate
    CONFLICT = "conflict"  # 409: same triple and core, other content
    COLLISION = "collision"  # 202: same triple, other core: another alert, with a finding


@dataclass(frozen=True, slots=True)
class Known:
    """A decision: ``of`` is the alert that is known already, ``key`` the key of design §7 that decided."""

    kind: Kind
    of: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The computed keys of one alert.

    A test key's alerts must not hide the live ones: the caller computes all four with the mode in them.
    """

    alert_id: str
    k0: str
    k1: str
    k2: str


def decide(identity: Identity, *, k0_id: str | None, k1_ids: Collection[str], known_k2: str | None) -> Known:
    """Return what an alert is (design §6); shared by the node's memory and the store.

    ``k0_id`` is the alert with the same raw bytes, ``k1_ids`` those with the same triple, ``known_k2`` the content
    key stored under this very alert id, or its end; None or empty when there is none.
    """
    if k0_id is not None:
        return Known(Kind.SAME, k0_id, "K0")
    if known_k2 is not None:
        kind = Kind.SAME if identity.k2.endswith(known_k2) else Kind.CONFLICT
        return Known(kind, identity.alert_id, "K2")
    others = sorted(set(k1_ids) - {identity.alert_id})
    if others:
        return Known(Kind.COLLISION, others[0], "K1")
    return Known(Kind.NEW)


@dataclass(slots=True)
class _Entry:
    k0s: list[str]
    k1: str
    k2: str
    at: datetime


class Memory:
    """Recent alerts by their keys: at most ``most`` of them, none older than ``age``; the oldest go first."""

    def __init__(self, *, most: int = 50_000, age: timedelta = timedelta(days=7)) -> None:
        self._most = most
        self._age = age
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._by_k0: dict[str, str] = {}
        self._by_k1: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def look_up(self, identity: Identity) -> Known:
        """Return what the alert is to what this node remembers."""
        known = self._entries.get(identity.alert_id)
        return decide(
            identity,
            k0_id=self._by_k0.get(identity.k0),
            k1_ids=self._by_k1.get(identity.k1, ()),
            known_k2=known.k2 if known is not None else None,
        )

    def same_triple(self, k1: str) -> tuple[str, ...]:
        """Return the alerts with this triple, oldest first: more than one makes a reference to it ambiguous."""
        return tuple(self._by_k1.get(k1, ()))

    def add(self, identity: Identity, *, at: datetime) -> None:
        """Remember an accepted alert, or other bytes of a known one; ``at`` is when it was received.

        What came first stays: a known id keeps its content key.
        """
        entry = self._entries.get(identity.alert_id)
        if entry is None:
            entry = self._entries[identity.alert_id] = _Entry([], identity.k1, identity.k2, at)
            self._by_k1.setdefault(identity.k1, []).append(identity.alert_id)
        if self._by_k0.setdefault(identity.k0, identity.alert_id) == identity.alert_id and identity.k0 not in entry.k0s:
            entry.k0s.append(identity.k0)
        self._forget(before=at - self._age)

    def rebuild(self, frames: Iterable[Frame]) -> int:
        """Remember what the journal's ACCEPT frames hold, and return how many could not be read."""
        unreadable = 0
        for frame in frames:
            if frame.type != FrameType.ACCEPT:
                continue
            try:
                record = decode_as(frame, AcceptRecord)
            except ValueError:
                unreadable += 1
                continue
            self.note(record)
        return unreadable

    def note(self, record: AcceptRecord) -> None:
        """Remember an alert that the journal holds."""
        identity = Identity(alert_id=record.alert_id, k0=record.k0, k1=record.k1, k2=record.k2)
        self.add(identity, at=record.received_at)

    def _forget(self, *, before: datetime) -> None:
        while self._entries:
            alert_id, oldest = next(iter(self._entries.items()))
            if len(self._entries) <= self._most and oldest.at >= before:
                return
            del self._entries[alert_id]
            for k0 in oldest.k0s:
                self._by_k0.pop(k0, None)
            namesakes = self._by_k1[oldest.k1]
            namesakes.remove(alert_id)
            if not namesakes:
                del self._by_k1[oldest.k1]
