"""``/healthz``, ``/readyz`` and ``/metrics``: for machines."""

from __future__ import annotations

from aiohttp import web

from relay.api.auth import CHALLENGE
from relay.api.call import Call, Route, answer
from relay.api.problems import refuse
from relay.api.remote import Proxies
from relay.api.services import Services
from relay.api.status import seen
from relay.intake.authority import Action
from relay.metrics import CONTENT_TYPE, Metrics
from relay.tracking.status import Seen, channels_json, status_json


def routes(_: Services) -> list[Route]:
    """Return the routes of this file."""
    return [
        Route("GET", "/healthz", alive),
        Route("GET", "/readyz", ready),
        Route("GET", "/metrics", metrics),  # guards itself: it is open on loopback
    ]


async def alive(_: Call) -> web.StreamResponse:
    """Say that this process answers; nothing more is told to strangers."""
    return web.Response(text="ok\n")


async def ready(call: Call) -> web.StreamResponse:
    """Say whether alerts can be accepted, and whether Redis is there."""
    state = call.services.state
    error = state.journal_status().error
    document = {
        "ready": not error,
        "journal": "failing" if error else "ok",
        "redis": "ok" if state.redis_available else "unavailable",
    }
    return answer(document, status=503 if error else 200)


async def metrics(call: Call) -> web.StreamResponse:
    """Return the figures for Prometheus: open on loopback, elsewhere with a key."""
    proxies = Proxies(call.services.settings.api.trusted_proxies)
    local = proxies.is_local(call.request.remote, call.request.headers.getall("X-Forwarded-For", []))
    if not local and call.signed_in is None:
        raise refuse("unauthenticated", 401, "The metrics need a key here.", headers=CHALLENGE)
    if not local and not call.may(Action.METRICS):
        raise refuse("forbidden", 403, f"A key of role {call.key.role} may not do this.")
    set_gauges(call.services.metrics, await seen(call.services))
    return web.Response(body=call.services.metrics.render(), headers={"Content-Type": CONTENT_TYPE})


def set_gauges(figures: Metrics, now: Seen) -> None:
    """Bring the gauges to what is seen."""
    status = status_json(now)
    for name, waits in status["classes"].items():
        figures.queue_depth.labels(name).set(waits["queued"])
        figures.queue_oldest.labels(name).set(waits["oldest_s"])
    figures.held.set(len(status["held"]))
    figures.redis_up.set(1 if now.redis["available"] else 0)
    figures.pending.set(now.redis["pending"])
    for worker in status["workers"]:
        figures.worker_heartbeat.labels(worker["id"]).set(worker["age_s"])
    for channel in channels_json(now):
        figures.channel_up.labels(channel["name"]).set(1 if channel["state"] == "ok" else 0)
