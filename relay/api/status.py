"""``GET /status``: the state of the relay as JSON, or the operators' page for a browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from relay.adapter import Class, Kind
from relay.api.auth import CHALLENGE
from relay.api.call import Call, Handler, Route, answer, wants
from relay.api.problems import refuse
from relay.api.services import Services
from relay.api.views import with_legs
from relay.errors import StoreUnavailable
from relay.intake.authority import Action
from relay.store.alerts import StoredAlert
from relay.store.legs import Leg
from relay.tracking.status import Seen, status_json

#: Alerts on the page: the newest, and every held one among the newest of them.
NEWEST = 50
LOOKED_AT = 500
REFUSALS = 100


def routes(_: Services, *, page: Handler | None = None) -> list[Route]:
    """Return the route of this file; ``page`` answers browsers, also those that are not signed in."""

    async def get_status(call: Call) -> web.StreamResponse:
        if page is not None and wants(call.request, "text/html", rather_than="application/json"):
            return await page(call)
        if call.signed_in is None:
            raise refuse("unauthenticated", 401, "Send the key as Authorization: Bearer <key>.", headers=CHALLENGE)
        if not call.may(Action.STATUS):
            raise refuse("forbidden", 403, f"A key of role {call.key.role} may not do this.")
        return answer(status_json(await seen(call.services)), headers={"Vary": "Accept"})

    # Open in the table because the page has its own way to sign in; JSON is guarded above.
    return [Route("GET", "/status", get_status)]


async def seen(services: Services, *, alerts: bool = True) -> Seen:
    """Read everything that the status shows; while Redis is away, what this node knows by itself."""
    switches: Mapping[str, str] = {}
    waiting: Mapping[Class, tuple[int, float]] = {}
    rows: list[tuple[StoredAlert, list[Leg]]] = []
    available = services.state.redis_available
    try:
        switches = await services.switches.read()
        waiting = await services.legs.waiting(list(Kind))
        rows = await with_legs(services, await _alerts(services)) if alerts else []
    except StoreUnavailable:
        available = False
    return Seen(
        now=services.clock.time(),
        alerts=rows,
        waiting=waiting,
        kinds=services.kinds,
        workers=await services.state.workers(),
        switches=switches,
        refused=await services.state.refusals(REFUSALS),
        stopped=services.controls.stopped,
        redis={"available": available, "pending": services.state.pending},
        journal=journal_json(services),
        clock_trusted=services.state.clock_trusted,
        workers_expected=services.settings.engine.workers,
        keeping=await services.keeping.figures() if services.keeping is not None else {},
    )


async def _alerts(services: Services) -> list[StoredAlert]:
    page, _ = await services.alerts.page(before="", limit=LOOKED_AT)
    # Of the newest; archived ones too, so that a quiet day's page shows what came before it.
    return [alert for n, alert in enumerate(page) if n < NEWEST or alert["state"] == "held"]


def journal_json(services: Services) -> dict[str, Any]:
    """Return the journal's figures; times in milliseconds."""
    status = services.state.journal_status()
    return {
        "error": status.error or None,
        "waiting": status.waiting,
        "last": status.last_seq,
        "fsync_ms": {"p50": round(status.fsync.p50 * 1000, 2), "p99": round(status.fsync.p99 * 1000, 2)},
        "damaged": list(status.damaged),
    }
