"""What all pages share: who a browser is signed in as, its language, and the headers of a page."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from relay.api.call import Call
from relay.console.page import Links
from relay.console.services import Console
from relay.console.sessions import ABSOLUTE, Session
from relay.console.words import LANGUAGES
from relay.intake.authority import Key

COOKIE_AGE = int(ABSOLUTE)

#: SEC-071.  The referrer policy is not ``no-referrer``: with that browsers send ``Origin: null`` with our own forms.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_REFRESH = range(2, 3601)


class Browser:
    """Reads what a browser sent, and makes what it is sent."""

    def __init__(self, console: Console) -> None:
        self._console = console
        # A name with this prefix can be set over TLS only, for this host only, by nobody else.
        self.cookie = "__Host-chapar" if console.tls else "chapar"

    def token(self, request: web.BaseRequest) -> str:
        """Return the session token in the cookie, empty when there is none."""
        return request.cookies.get(self.cookie, "")

    def session(self, request: web.BaseRequest) -> Session | None:
        """Return the live session; one whose key was revoked ends here, with all others of that key."""
        token = self.token(request)
        session = self._console.sessions.find(token) if token else None
        if session is None:
            return None
        key = self._console.keys.get(session.key_id)
        if key is None or key.revoked is not None:
            self._console.sessions.end_all(session.key_id)
            return None
        return session

    def key(self, request: web.BaseRequest) -> Key | None:
        """Return the live key of the session."""
        session = self.session(request)
        return self._console.keys.get(session.key_id) if session is not None else None

    def language(self, call: Call) -> str:
        """Return the language chosen by hand, else what the browser likes better."""
        chosen = call.request.query.get("lang", "")
        return chosen if chosen in LANGUAGES else call.language

    def refresh(self, request: web.Request) -> int | None:
        """Return the seconds of ``?refresh=``, None when that is not given or not 2 to 3600."""
        text = request.query.get("refresh", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 and int(text) in _REFRESH else None

    def links(self, request: web.Request) -> Links:
        """Return addresses that keep what was chosen by hand."""
        lang, seconds = request.query.get("lang", ""), self.refresh(request)
        return Links(lang=lang if lang in LANGUAGES else "", refresh=str(seconds or ""))

    def html(self, page: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
        """Return a page as a response."""
        return web.Response(
            status=status,
            text=page,
            content_type="text/html",
            charset="utf-8",
            headers={**HEADERS, "Vary": "Accept", **(headers or {})},
        )

    def see_status(self, request: web.Request) -> web.Response:
        """Return the way back to the status, so that loading the page again repeats nothing."""
        return web.Response(status=303, headers={"Location": self.links(request).to(), "Cache-Control": "no-store"})
