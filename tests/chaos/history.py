"""What the judge knows: the client's log, the providers' logs, the fault log and the API's last account, as values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.chaos.matcher import addresses, readers
from tests.chaos.mix import Role
from tests.chaos.people import Document

#: What the system calls recipient and kind: an alert reaches each address once, and nobody here has two of a kind.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request and what came of it: ``end`` is ok, fail (not done), info (nobody knows)."""

    n: int
    role: Role
    asked: float
    answered: float = 0.0
    end: str = "info"
    status: int = 0
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def taken(self) -> bool:
        """Whether the relay said that it has it."""
        return self.end == "ok" and self.status in (200, 202)


@dataclass(slots=True, kw_only=True)
class Deed:
    """One alert that the client tried to post, or one cancel that it asked for; ``of`` is what it refers to."""

    number: int
    role: Role
    of: int
    document: Document
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def accepted(self) -> Attempt | None:
        """The first request that the relay said it had taken."""
        return min((a for a in self.attempts if a.taken), key=lambda a: a.answered, default=None)

    @property
    def doubtful(self) -> bool:
        """Whether it may have been taken although nobody heard so."""
        return any(a.end == "info" for a in self.attempts)

    @property
    def expires(self) -> float:
        """The end of its life, in seconds since the epoch; all its infos end together."""
        return datetime.fromisoformat(self.document["info"][0]["expires"]).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One message as it came to a provider; ``took`` says whether it counts as sent, ``info`` which text it was."""

    t: float
    kind: str
    to: str
    took: bool
    mood: str
    text: str
    number: int
    info: int
    cancelled: bool
    line: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that was done to the system, from ``begin`` to the moment it was whole again."""

    name: str
    target: str
    begin: float
    end: float
    acted: float  # how long the hand itself held it

    @property
    def loses(self) -> bool:
        """Whether Redis forgets everything."""
        return self.name == "flushall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One delivery as the API showed it in passing."""

    t: float
    alert: str
    pair: Pair
    state: str


@dataclass(kw_only=True)  # no slots: what is worked out is kept
class History:
    """Everything that is known of one round."""

    deeds: dict[int, Deed]
    sends: list[Send]
    faults: list[Fault]
    alerts: list[Document]
    people: list[Document]
    status: Document
    looks: list[Look] = field(default_factory=list)
    lags: list[tuple[float, float]] = field(default_factory=list)  # when the machine served nobody, until when
    ended: float = 0.0

    @cached_property
    def homes(self) -> dict[tuple[str, str], str]:
        """Kind and address → recipient; webhooks by the name in their path."""
        found = {}
        for person in self.people:
            for kind, value in addresses(person):
                found[kind, value.rpartition("/")[2] if kind == "webhook" else value] = str(person["id"])
        return found

    @cached_property
    def kinds(self) -> dict[str, list[str]]:
        """Recipient → kinds."""
        return {str(person["id"]): [kind for kind, _ in addresses(person)] for person in self.people}

    @cached_property
    def shown(self) -> dict[int, list[Document]]:
        """Deed's number → the alerts that the API shows for it; one of them, if all is well."""
        found: dict[int, list[Document]] = defaultdict(list)
        for alert in self.alerts:
            number = self._number(alert)
            if number is not None:
                found[number].append(alert)
        return found

    @cached_property
    def of_sends(self) -> dict[tuple[int, Pair], list[Send]]:
        """Deed and pair → sends, oldest first."""
        found: dict[tuple[int, Pair], list[Send]] = defaultdict(list)
        for send in sorted(self.sends, key=lambda s: s.t):
            pair = self.pair(send)
            if pair is not None:
                found[self.deed_of(send), pair].append(send)
        return found

    @cached_property
    def revoked_by(self) -> dict[int, int]:
        """Deed → the cancel of it that was asked for by its id."""
        return {deed.of: deed.number for deed in self.deeds.values() if deed.role is Role.REVOKE}

    def pair(self, send: Send) -> Pair | None:
        """Return to whom it went; None: to nobody we know."""
        home = self.homes.get((send.kind, send.to))
        return (home, send.kind) if home is not None else None

    def deed_of(self, send: Send) -> int:
        """Return the deed that it belongs to: the relay's own Cancel bears the words of what it cancels."""
        deed = self.deeds.get(send.number)
        if send.cancelled and deed is not None and deed.role is not Role.CANCEL:
            return self.revoked_by.get(send.number, -1)
        return send.number

    def due(self, deed: Deed) -> dict[Pair, int]:
        """Return who must be told, and the info that each reads."""
        found = readers(deed.document, self.people)
        return {(who, kind): info for who, info in found.items() for kind in self.kinds[who]}

    def told(self, number: int) -> dict[Pair, list[Send]]:
        """Return who was sent a deed, with all that counts."""
        found = {pair: [s for s in sends if s.took] for (n, pair), sends in self.of_sends.items() if n == number}
        return {pair: sends for pair, sends in found.items() if sends}

    def faults_in(self, begin: float, end: float, *targets: str) -> list[Fault]:
        """Return the faults that were there between two times; only on ``targets``, when given."""
        found = [f for f in self.faults if f.begin <= end and f.end >= begin]
        return [f for f in found if not targets or f.target in targets]

    def lag(self, begin: float, end: float) -> float:
        """Return for how many seconds between two times the machine was busy elsewhere."""
        return sum(max(0.0, min(until, end) - max(since, begin)) for since, until in self.lags)

    def stops(self, number: int) -> Iterator[Deed]:
        """Yield what cancels or replaces a deed."""
        for deed in self.deeds.values():
            if deed.of == number and deed.role in (Role.CANCEL, Role.REVOKE, Role.UPDATE):
                yield deed

    def _number(self, alert: Document) -> int | None:
        name = str(alert.get("identifier", ""))
        if name.startswith("chaos-"):
            return int(name.rpartition("-")[2])
        for old in (alert.get("chain") or {}).get("references", []):
            for number, shown in self._ids.items():
                if shown == old:
                    return self.revoked_by.get(number)
        return None

    @cached_property
    def _ids(self) -> dict[int, str]:
        return {
            int(alert["identifier"].rpartition("-")[2]): alert["id"]
            for alert in self.alerts
            if str(alert.get("identifier", "")).startswith("chaos-")
        }
