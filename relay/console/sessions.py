"""Sessions of signed-in browsers, and one-time links that begin one; in memory of this process, by a given clock."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from relay.clock import Clock

IDLE = 30 * 60.0
"""Seconds after the last request until a session ends; a page that refreshes itself is in use."""

ABSOLUTE = 12 * 3600.0
"""Seconds until a session ends in any case."""

ONCE = 15 * 60.0
"""Seconds for which a one-time link is good."""

MOST_SESSIONS = 1000
MOST_PER_KEY = 20
MOST_LINKS = 100

_TOKEN_BYTES = 32
_LONGEST_TOKEN = 64


@dataclass(slots=True, kw_only=True)
class Session:
    """One signed-in browser: whose key it is, and the token that its forms carry.

    ``began`` and ``used`` are monotonic seconds.
    """

    key_id: str
    csrf: str
    began: float
    used: float

    def allows(self, token: str) -> bool:
        """Whether a form carries this session's token."""
        return hmac.compare_digest(self.csrf.encode(), token.encode("utf-8", "replace"))


class Sessions:
    """All sessions of this process: at most :data:`MOST_SESSIONS`, and :data:`MOST_PER_KEY` of one key.

    The longest unused gives way, so that whoever has a key cannot lock out the holders of others.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._links: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, key_id: str) -> str:
        """Begin a session for the holder of a key; return its token (256 bits), for the cookie only."""
        now = self._clock.monotonic()
        self._drop_ended(now)
        own = [digest for digest, session in self._sessions.items() if session.key_id == key_id]
        if len(own) >= MOST_PER_KEY:
            del self._sessions[own[0]]
        while len(self._sessions) >= MOST_SESSIONS:
            self._sessions.popitem(last=False)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._sessions[_digest(token)] = Session(
            key_id=key_id, csrf=secrets.token_urlsafe(_TOKEN_BYTES), began=now, used=now
        )
        return token

    def find(self, token: str) -> Session | None:
        """Return the session of a token and count this as its use; None when there is none, or it has ended."""
        digest = _digest(token)
        session = self._sessions.get(digest)
        if session is None:
            return None
        now = self._clock.monotonic()
        if _ended(session, now):
            del self._sessions[digest]
            return None
        session.used = now
        self._sessions.move_to_end(digest)
        return session

    def end(self, token: str) -> None:
        """End a session; one that is not there has ended already."""
        self._sessions.pop(_digest(token), None)

    def end_all(self, key_id: str) -> int:
        """End every session and take back every link of a key, as when it is revoked; return how many sessions."""
        own = [digest for digest, session in self._sessions.items() if session.key_id == key_id]
        for digest in own:
            del self._sessions[digest]
        for digest in [digest for digest, (owner, _) in self._links.items() if owner == key_id]:
            del self._links[digest]
        return len(own)

    def link(self, key_id: str) -> str:
        """Return a token (256 bits) that begins one session for this key within :data:`ONCE` seconds."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        while len(self._links) >= MOST_LINKS:
            self._links.popitem(last=False)
        self._links[_digest(token)] = (key_id, self._clock.monotonic() + ONCE)
        return token

    def redeem(self, token: str) -> str:
        """Use up a one-time token; return its key id, empty when it is unknown, used or too old."""
        key_id, until = self._links.pop(_digest(token), ("", 0.0))
        return key_id if self._clock.monotonic() < until else ""

    def _drop_ended(self, now: float) -> None:
        for digest in [digest for digest, session in self._sessions.items() if _ended(session, now)]:
            del self._sessions[digest]


def _ended(session: Session, now: float) -> bool:
    return now - session.used >= IDLE or now - session.began >= ABSOLUTE


def _digest(token: str) -> str:
    """Return what a token is kept under: looking it up tells nothing of the tokens there are."""
    return hashlib.sha256(token[:_LONGEST_TOKEN].encode("utf-8", "replace")).hexdigest()
