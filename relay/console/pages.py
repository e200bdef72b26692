"""The operators' pages over HTTP: the status, signing in and out, and static files.

:class:`Pages` is what :func:`relay.api.app.build` takes as its ``console``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiohttp import web

from relay.api.call import CLOSING, Call, Route
from relay.console.actions import Actions
from relay.console.browser import COOKIE_AGE, Browser
from relay.console.events import follow
from relay.console.figures import Wall
from relay.console.forms import own_page, read_form
from relay.console.page import Viewer, status_page, tag_of
from relay.console.questions import NEEDS, notice_page, question_of, question_page, say_of
from relay.console.services import Console
from relay.console.sign_in import sign_in_page
from relay.console.situation import read
from relay.console.templating import STATIC, static, static_path
from relay.intake.authority import Action, Key, may

log = structlog.get_logger()

_FORM_TIMEOUT = 10.0


class Pages:
    """Everything a browser sees."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._browser = Browser(console)
        self._actions = Actions(console, self._browser)

    @property
    def routes(self) -> Sequence[Route]:
        """All routes but ``GET /status``, which belongs to the API; each guards itself."""
        return [
            Route("POST", "/status/sign-in", self.sign_in),
            Route("GET", "/console/static/{name}", self.static),
            Route("GET", "/events", self.events, frozenset({Action.STATUS})),
            *self._actions.routes,
        ]

    def session(self, request: web.Request) -> Key | None:
        """Return the live key of a signed-in browser, or None."""
        return self._browser.key(request)

    async def status(self, call: Call) -> web.StreamResponse:
        """Answer ``GET /status`` for a browser: the page, a question, or the way to sign in."""
        request = call.request
        if "once" in request.query and request.method == "GET":
            return self._follow(call)
        key = call.signed_in
        if key is None:
            said = "session_over" if self._browser.token(request) else ""
            return self._form(call, said, status=401)
        if not may(key, Action.STATUS):
            return self._form(call, "no_status", status=403)
        if ask := request.query.get("ask", ""):
            return await self._question(call, key, ask)
        return await self._page(call, key)

    async def _page(self, call: Call, key: Key) -> web.Response:
        request, now = call.request, self._console.clock.now()
        html = await self._html(call, key)
        tag = _tag(html)
        headers = {"ETag": tag, "X-Time": now.isoformat(timespec="seconds"), "Vary": "Accept"}
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        response = self._browser.html(html, headers=headers)
        # No secret is on this page, so that its compressed length tells nothing.
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    async def _html(self, call: Call, key: Key) -> str:
        console, request = self._console, call.request
        return status_page(
            self._named(await console.status()),
            language=self._browser.language(call),
            now=console.clock.now(),
            refresh=self._browser.refresh(request),
            zone=console.zone,
            viewer=Viewer(name=key.name, may=self._may_ask(request, key)),
            links=self._browser.links(request),
        )

    async def events(self, call: Call) -> web.StreamResponse:
        """Tell a page that is open when it is no longer true (SSE): a few bytes, instead of the page's own asking."""
        token = self._browser.token(call.request)

        async def tag() -> str | None:
            """Return what the page is like now; None when the session is over."""
            key = self._browser.key(call.request) if token else call.signed_in
            return _tag(await self._html(call, key)) if key is not None and may(key, Action.STATUS) else None

        closing = call.request.app[CLOSING]
        return await follow(call.request, tag, clock=self._console.clock, closing=closing)

    def _named(self, status: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the status with the name of who stopped everything, instead of the id of his key."""
        stopped = status.get("stopped")
        key = self._console.keys.get(str(stopped.get("by"))) if isinstance(stopped, Mapping) else None
        return {**status, "stopped": {**stopped, "by": key.name}} if stopped and key is not None else status

    def _may_ask(self, request: web.Request, key: Key) -> frozenset[str]:
        """Return what this browser may be asked; a key in a header has no session, and so no forms."""
        if self._browser.session(request) is None:
            return frozenset()
        return frozenset(ask for ask, action in NEEDS.items() if action is None or may(key, action))

    async def _question(self, call: Call, key: Key, ask: str) -> web.Response:
        console, request, links = self._console, call.request, self._browser.links(call.request)
        say = say_of(self._browser.language(call))
        session = self._browser.session(request)
        if session is None or ask not in self._may_ask(request, key):
            return self._browser.html(notice_page(say("forbidden"), say=say, links=links), status=403)
        question = question_of(ask, request.query.get("about", ""), read(await console.status()))
        if question is None:
            sentence = say("not_held" if ask in ("approve", "reject") else "not_here")
            return self._browser.html(notice_page(sentence, say=say, links=links), status=404)
        wall = Wall(console.clock.now(), console.zone, say.language)
        return self._browser.html(question_page(question, say=say, wall=wall, links=links, csrf=session.csrf))

    def _follow(self, call: Call) -> web.Response:
        """Begin a session by a one-time link, and take the token out of the address."""
        key_id = self._console.sessions.redeem(call.request.query["once"])
        key = self._console.keys.get(key_id) if key_id else None
        if key is None or key.revoked is not None:
            log.warning("sign_in_failed", why="link", request=call.request_id)
            return self._form(call, "link_over", status=401)
        return self._begin(call, key, how="link")

    async def sign_in(self, call: Call) -> web.StreamResponse:
        """Answer the form with a key."""
        console, request = self._console, call.request
        if not own_page(request.headers, host=request.host, origin=console.origin, proof=False):
            return self._form(call, "forged", status=403)
        wait = console.sign_ins.take(console.client(request))
        if wait:
            seconds = str(int(wait) + 1)
            return self._form(call, "too_many", status=429, headers={"Retry-After": seconds}, n=seconds)
        form = await read_form(request, timeout=_FORM_TIMEOUT)
        key = console.keys.authenticate_credential((form or {}).get("key", "").strip())
        if key is None:
            log.warning("sign_in_failed", why="key", request=call.request_id)
            return self._form(call, "wrong", status=401)
        if not may(key, Action.STATUS):
            return self._form(call, "no_status", status=403)
        return self._begin(call, key, how="key")

    def _begin(self, call: Call, key: Key, *, how: str) -> web.Response:
        old = self._browser.token(call.request)
        if old:
            self._console.sessions.end(old)
        token = self._console.sessions.begin(key.key_id)
        log.info("signed_in", key=key.key_id, how=how, request=call.request_id)
        response = self._browser.see_status(call.request)
        response.set_cookie(
            self._browser.cookie,
            token,
            max_age=COOKIE_AGE,
            path="/",
            secure=self._console.tls,
            httponly=True,
            samesite="Strict",
        )
        return response

    def _form(
        self, call: Call, said: str, *, status: int, headers: dict[str, str] | None = None, **values: object
    ) -> web.Response:
        language = self._browser.language(call)
        page = sign_in_page(language=language, links=self._browser.links(call.request), said=said, **values)
        return self._browser.html(page, status=status, headers=headers)

    async def static(self, call: Call) -> web.StreamResponse:
        """Return a static file, which a browser may keep when it asked for this version of it."""
        name = call.part("name")
        if name not in STATIC:
            return web.Response(status=404, text="There is nothing here.\n")
        current = call.request.path_qs == static_path(name)
        response = web.Response(
            body=static(name),
            content_type=STATIC[name],
            charset="utf-8",
            headers={"Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache"},
        )
        if "gzip" in call.request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response


def _tag(html: str) -> str:
    """Return the same for two pages that differ in nothing but passing time."""
    return f'"{hashlib.sha256(tag_of(html).encode()).hexdigest()[:20]}"'
