"""Who asks: the key of a request, and whether its role may do this."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from relay.api.call import Route
from relay.api.problems import Refused, refuse
from relay.api.remote import Proxies
from relay.clock import Clock
from relay.intake.authority import Key, may
from relay.intake.quota import Quota
from relay.intake.register import Register

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="chapar", Basic realm="chapar", charset="UTF-8"'}

#: Wrong keys a minute from one address; after that the answer is 429.  A right key is never kept waiting.
WRONG_PER_MINUTE = 120

_SAFE_METHODS = frozenset({"GET", "HEAD"})

#: Returns the key of a browser's session, or None.
Session = Callable[[web.Request], Key | None]


class Gate:
    """Lets a request through or answers 400, 401, 403 or 429."""

    def __init__(self, register: Register, *, proxies: Proxies, clock: Clock, session: Session | None = None) -> None:
        self._register = register
        self._proxies = proxies
        self._session = session
        self._wrong = Quota(per_minute=WRONG_PER_MINUTE, clock=clock)

    def admit(self, request: web.Request, route: Route) -> Key | None:
        """Return the caller's key; None on an open route for a caller without one.

        Raises:
            Refused: the caller may not do this.
        """
        key = self._key(request)
        if not route.needs:
            return key
        if key is None:
            raise self._unknown(request)
        if not any(may(key, action) for action in route.needs):
            raise refuse("forbidden", 403, f"A key of role {key.role} may not do this.")
        return key

    def _key(self, request: web.Request) -> Key | None:
        headers = request.headers.getall("Authorization", [])
        if len(headers) > 1:
            raise refuse("malformed-request", 400, "There are two Authorization headers.")
        if headers:
            return self._register.authenticate(headers[0])
        # A session is carried along by the browser unasked: it may look, and changes nothing here.
        if self._session is not None and request.method in _SAFE_METHODS:
            return self._session(request)
        return None

    def _unknown(self, request: web.Request) -> Refused:
        address = self._proxies.client(request.remote, request.headers.getall("X-Forwarded-For", []))
        wait = self._wrong.take(address)
        if wait:
            headers = {"Retry-After": str(int(wait) + 1)}
            return refuse("rate-limited", 429, "Too many requests without a valid key.", headers=headers)
        return refuse(
            "unauthenticated",
            401,
            "Send the key as Authorization: Bearer <key>, or as the password of Basic authentication.",
            headers=CHALLENGE,
        )
