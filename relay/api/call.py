"""A call: one HTTP request with who asks, as every handler is given it, and the routes that say who may."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from aiohttp import web

from relay.api.problems import language_of
from relay.api.services import Services
from relay.intake.authority import Action, Key, may

#: Set when the relay stops: whoever waits answers now.
CLOSING = web.AppKey("closing", asyncio.Event)

REQUEST_ID = web.RequestKey("request_id", str)


def new_request_id() -> str:
    """Return a short id that a person can read to somebody over the telephone."""
    return secrets.token_hex(6)


@dataclass(frozen=True, kw_only=True)  # no slots: what is derived is derived once
class Call:
    """One request; ``signed_in`` is the key of the caller, None on routes that are open."""

    request: web.Request
    services: Services
    signed_in: Key | None = None

    @property
    def key(self) -> Key:
        """The caller's key; only on routes that need one."""
        if self.signed_in is None:
            raise PermissionError("this route is open: it has no key")
        return self.signed_in

    def may(self, action: Action) -> bool:
        """Whether the caller may do this."""
        return self.signed_in is not None and may(self.signed_in, action)

    @cached_property
    def language(self) -> str:
        """``en`` or ``ru``."""
        return language_of(self.request.headers.get("Accept-Language"))

    @property
    def request_id(self) -> str:
        """The id that problems and logs carry."""
        return self.request[REQUEST_ID]

    def part(self, name: str) -> str:
        """Return a variable part of the path."""
        return self.request.match_info[name]


Handler = Callable[[Call], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a method on a path; the caller's key needs one of the actions ``needs``, empty: open to all."""

    method: str
    path: str
    handler: Handler
    needs: frozenset[Action] = frozenset()


def answer(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:  # noqa: ANN401 -- JSON
    """Return a JSON answer; times are written in RFC 3339."""
    body = orjson.dumps(document, option=orjson.OPT_UTC_Z)
    return web.Response(
        status=status, body=body, content_type="application/json", charset="utf-8", headers=dict(headers or {})
    )


def wants(request: web.Request, media_type: str, *, rather_than: str) -> bool:
    """Whether ``Accept`` names ``media_type`` and likes it at least as well as ``rather_than``."""
    liked = {media_type: 0.0, rather_than: 0.0}
    for part in request.headers.get("Accept", "")[:2000].split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name in liked:
            liked[name] = max(liked[name], _quality(parameters))
    return liked[media_type] > 0 and liked[media_type] >= liked[rather_than]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
