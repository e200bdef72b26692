"""The HTTP application: all routes in one table, and what happens around every handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog
from aiohttp import web

from relay.api import (
    acknowledge,
    alerts,
    channels,
    deliveries,
    health,
    keys,
    recipients,
    status,
    switches,
    views,
)
from relay.api.auth import Gate
from relay.api.call import CLOSING, REQUEST_ID, Call, Handler, Route, new_request_id
from relay.api.headers import protect
from relay.api.problems import Problem, Refused, language_of, problem_of, refuse
from relay.api.recent import RECENT, Recent
from relay.api.remote import Proxies
from relay.api.services import Services
from relay.errors import RelayError
from relay.intake.authority import Key

log = structlog.get_logger()

_Web = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HTTP_1 = ((1, 0), (1, 1))


class Console(Protocol):
    """The operators' pages, when there are any (``relay.console``)."""

    @property
    def routes(self) -> Sequence[Route]:
        """Further routes: sign-in, static files; they guard themselves against forged forms."""
        ...

    def session(self, request: web.Request) -> Key | None:
        """Return the live key of a signed-in browser, or None; it only opens routes that change nothing."""
        ...

    async def status(self, call: Call) -> web.StreamResponse:
        """Answer ``GET /status`` for a browser: the page, or the way to sign in when ``call.signed_in`` is None."""
        ...


def routes(services: Services, console: Console | None = None) -> list[Route]:
    """Return every route of the relay."""
    table: list[Route] = []
    for room in (alerts, views, deliveries, recipients, channels, switches, keys, acknowledge):
        table += room.routes(services)
    table += health.routes(services)
    table += status.routes(services, page=console.status if console is not None else None)
    return table + list(console.routes if console is not None else ())


def build(services: Services, *, console: Console | None = None) -> web.Application:
    """Return the application; :class:`relay.api.server.Listener` listens for it."""
    gate = Gate(
        services.register,
        proxies=Proxies(services.settings.api.trusted_proxies),
        clock=services.clock,
        session=console.session if console is not None else None,
    )
    # Bodies are bounded where they are read; aiohttp's own bound is for forms that it reads itself.
    app = web.Application(middlewares=[_answer_problems], client_max_size=64 * 1024)
    app[RECENT] = Recent()
    app[CLOSING] = asyncio.Event()
    app.on_response_prepare.append(protect)
    app.on_shutdown.append(_say_closing)
    _add_routes(app, _by_path(routes(services, console)), services, gate)
    app.router.add_route("*", "/{tail:.*}", _nowhere, expect_handler=_expect)
    return app


def _by_path(table: Sequence[Route]) -> Mapping[str, Mapping[str, Route]]:
    paths: dict[str, dict[str, Route]] = {}
    for route in table:
        methods = paths.setdefault(route.path, {})
        methods[route.method] = route
        if route.method == "GET":
            methods.setdefault("HEAD", route)
    return paths


def _add_routes(app: web.Application, paths: Mapping[str, Mapping[str, Route]], services: Services, gate: Gate) -> None:
    for path, methods in paths.items():
        resource = app.router.add_resource(path)
        for method, route in methods.items():
            resource.add_route(method, _served(route, services, gate), expect_handler=_expect)
        # A method of ours for all others, so that even these answers are problems, and nobody is told to go on.
        resource.add_route("*", _other_method(methods), expect_handler=_expect)


def _served(route: Route, services: Services, gate: Gate) -> _Web:
    handler: Handler = route.handler

    async def serve(request: web.Request) -> web.StreamResponse:
        call = Call(request=request, services=services, signed_in=gate.admit(request, route))
        return await handler(call)

    return serve


def _other_method(methods: Mapping[str, Route]) -> _Web:
    allow = {"Allow": ", ".join(sorted(methods))}

    async def refuse_method(_: web.Request) -> web.StreamResponse:
        raise refuse("method-not-allowed", 405, f"Allowed here: {allow['Allow']}.", headers=allow)

    return refuse_method


async def _nowhere(_: web.Request) -> web.StreamResponse:
    raise refuse("not-found", 404, "There is nothing at this address.")


async def _expect(request: web.Request) -> web.StreamResponse | None:
    """Keep aiohttp from saying ``100 Continue`` before anything was checked: the body's reader says it."""
    if request.headers["Expect"].lower() == "100-continue":
        return None
    problem = Problem(slug="expectation-failed", status=417, detail="Only 100-continue can be expected here.")
    language = language_of(request.headers.get("Accept-Language"))
    return problem.response(language=language, request_id=new_request_id())


async def _say_closing(app: web.Application) -> None:
    app[CLOSING].set()


@web.middleware
async def _answer_problems(request: web.Request, handler: _Web) -> web.StreamResponse:
    """Give the request its id, and answer whatever is raised with a problem."""
    request_id = request[REQUEST_ID] = new_request_id()
    try:
        _check_version(request)
        response = await handler(request)
    except (ConnectionError, web.HTTPException):
        raise
    except Exception as error:  # noqa: BLE001 -- the last place: what it does not know is our fault, and only an id is told
        problem = _problem(error, request_id)
        language = language_of(request.headers.get("Accept-Language"))
        response = problem.response(language=language, request_id=request_id)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
    return response


def _check_version(request: web.Request) -> None:
    if tuple(request.version) not in _HTTP_1:
        raise refuse("http-version", 505, "Speak HTTP/1.1.", headers={"Connection": "close"})


def _problem(error: Exception, request_id: str) -> Problem:
    try:
        if isinstance(error, Refused):
            return error.problem
        if isinstance(error, RelayError):
            return problem_of(error)
    except RelayError:
        pass
    log.error("unhandled", request=request_id, exc_info=error)
    return Problem(slug="internal-error", status=500, detail="Tell the operator the id of this request.")
