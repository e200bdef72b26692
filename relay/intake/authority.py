"""An authority: a key of the register, what it may do, and in whose name it may warn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from relay.errors import InvalidInput
from relay.intake.jurisdiction import read_jurisdiction

CATEGORIES = frozenset(
    {"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
)
_LONGEST_NAME = 200
_LONGEST_PATTERN = 256


class Role(StrEnum):
    """Who holds a key."""

    AGENCY = "agency"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"


class Mode(StrEnum):
    """A test key runs everything, but every delivery is only simulated."""

    LIVE = "live"
    TEST = "test"


class Action(StrEnum):
    """What a request wants to do (design §12)."""

    POST_ALERT = "post-alert"
    VALIDATE = "validate"
    READ_OWN = "read-own"
    READ_ALL = "read-all"
    CANCEL_OWN = "cancel-own"
    CANCEL_ANY = "cancel-any"
    APPROVE = "approve"
    REPLAY = "replay"
    DIRECTORY = "directory"
    CHANNELS = "channels"
    STOP = "stop"
    STATUS = "status"
    METRICS = "metrics"
    KEYS = "keys"


_AGENCY = frozenset({Action.POST_ALERT, Action.VALIDATE, Action.READ_OWN, Action.CANCEL_OWN})
_APPROVER = frozenset(
    {Action.VALIDATE, Action.READ_OWN, Action.READ_ALL, Action.APPROVE, Action.REPLAY, Action.STATUS, Action.METRICS}
)
_MAY: Mapping[Role, frozenset[Action]] = {
    Role.AGENCY: _AGENCY,
    Role.APPROVER: _APPROVER,
    Role.OPERATOR: frozenset(Action) - {Action.KEYS},
    Role.ADMIN: frozenset(Action),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of the register.

    ``name`` is the agency: keys with the same name are the same agency's, so that one can replace the other.
    ``senders`` are patterns for the whole of CAP ``sender`` (``*@meteo.example``); ``area`` is a text that
    :func:`relay.intake.jurisdiction.read_jurisdiction` reads, empty means everywhere; ``hazards`` are CAP categories,
    empty means all.  ``hash`` is the credential's SHA-256.  ``revoked`` is final.
    """

    key_id: str
    name: str
    role: Role
    senders: tuple[str, ...] = ()
    mode: Mode = Mode.LIVE
    strict: bool = False
    area: str = ""
    hazards: tuple[str, ...] = ()
    created: datetime
    updated: datetime
    revoked: datetime | None = None
    hash: str = field(default="", repr=False)

    def entry(self) -> dict[str, Any]:
        """Return the key as it is stored: in ``keys.json``, in the journal and in Redis."""
        return {
            "key_id": self.key_id,
            "name": self.name,
            "role": self.role.value,
            "senders": list(self.senders),
            "mode": self.mode.value,
            "strict": self.strict,
            "area": self.area,
            "hazards": list(self.hazards),
            "created": self.created.isoformat(),
            "updated": self.updated.isoformat(),
            "revoked": self.revoked.isoformat() if self.revoked else None,
            "hash": self.hash,
        }

    def shown(self) -> dict[str, Any]:
        """Return the key as people may see it: without its hash."""
        entry = self.entry()
        del entry["hash"]
        return entry


def from_entry(entry: Mapping[str, Any]) -> Key:
    """Return the key that an entry describes; fields that an older relay did not write take their defaults.

    Raises:
        ValueError: the entry describes no key.
    """
    try:
        return Key(
            key_id=str(entry["key_id"]),
            name=str(entry["name"]),
            role=Role(entry["role"]),
            senders=tuple(entry.get("senders", ())),
            mode=Mode(entry.get("mode", "live")),
            strict=bool(entry.get("strict", False)),
            area=str(entry.get("area", "")),
            hazards=tuple(entry.get("hazards", ())),
            created=datetime.fromisoformat(entry["created"]),
            updated=datetime.fromisoformat(entry["updated"]),
            revoked=datetime.fromisoformat(entry["revoked"]) if entry.get("revoked") else None,
            hash=str(entry["hash"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no key of the register: {error}") from error


def check(key: Key) -> None:
    """Check a key that someone wants to make.

    Raises:
        InvalidInput: a part of it cannot be meant so; the message says what to write.
    """
    if not key.name.strip() or len(key.name) > _LONGEST_NAME or not key.name.isprintable():
        raise InvalidInput("bad-key", f"A key needs a name of 1 to {_LONGEST_NAME} printable characters.")
    if key.role is Role.AGENCY and not key.senders:
        raise InvalidInput(
            "bad-key", "A key of role agency needs at least one sender pattern, for example *@meteo.example."
        )
    for pattern in key.senders:
        if not pattern or len(pattern) > _LONGEST_PATTERN or any(c.isspace() or c == "," for c in pattern):
            raise InvalidInput("bad-key", f"“{pattern[:64]}” is no sender pattern. Write for example *@meteo.example.")
    unknown = sorted(set(key.hazards) - CATEGORIES)
    if unknown:
        raise InvalidInput(
            "bad-key", f"“{unknown[0][:64]}” is no CAP category. Known are {', '.join(sorted(CATEGORIES))}."
        )
    read_jurisdiction(key.area)


def may(key: Key, action: Action) -> bool:
    """Return whether the key's role allows this.  "Own" means: of the same agency name."""
    return action in _MAY[key.role]


def may_send(key: Key, sender: str) -> bool:
    """Return whether the key may post alerts of this CAP ``sender``; the admin may as anyone.

    Patterns match the whole text; what follows the last ``@`` is compared without regard to case.
    """
    if key.role is Role.ADMIN:
        return True
    folded = _folded(sender)
    return any(fnmatchcase(folded, _folded(pattern)) for pattern in key.senders)


def _folded(address: str) -> str:
    local, at, host = address.rpartition("@")
    return f"{local}@{host.lower()}" if at else address
