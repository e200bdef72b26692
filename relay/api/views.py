"""``GET /v1/alerts``: the list, one alert with all that is known of it, its original bytes, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from relay.api.call import CLOSING, Call, Route, answer, wants
from relay.api.problems import RETRY_AFTER, not_found, refuse
from relay.api.query import Query
from relay.api.recent import RECENT
from relay.api.services import Services
from relay.cap.references import reference_key
from relay.errors import StoreUnavailable
from relay.intake.authority import Action
from relay.intake.stored import moded, reparse
from relay.store.alerts import StoredAlert
from relay.store.legs import Leg
from relay.tracking import report
from relay.tracking.why import why

#: How often ``?wait=`` looks, and for how long at most, in seconds.
LOOK = 0.1
LONGEST_WAIT = 60.0

#: Alerts looked at for one page of a filtered list; after that the page ends with a cursor to go on.
MOST_LOOKED_AT = 5_000

_CAP = "application/cap+xml"
_READ = frozenset({Action.READ_OWN, Action.READ_ALL})
_PRIORITIES = ("P0", "P1", "P2", "P3", "P4", "PX")


def routes(_: Services) -> list[Route]:
    """Return the routes of this file."""
    return [
        Route("GET", "/v1/alerts", list_alerts, _READ),
        Route("GET", "/v1/alerts/{id}", get_alert, _READ),
        Route("GET", "/v1/alerts/{id}/why", get_why, _READ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """Which alerts are listed; empty or None: all."""

    state: str
    priority: str
    since: datetime | None
    agency: str | None

    def fits(self, alert: StoredAlert) -> bool:
        """Whether ``alert`` is one of them."""
        return (
            self.state in ("", alert["state"])
            and self.priority in ("", alert["class"])
            and self.agency in (None, alert["agency"])
        )

    def over(self, alert: StoredAlert) -> bool:
        """Whether this and everything older is out."""
        return self.since is not None and alert.number("received") < self.since.timestamp() * 1000


async def list_alerts(call: Call) -> web.StreamResponse:
    """List alerts, newest first."""
    query = Query(call.request, ("cursor", "limit", "state", "priority", "since"))
    chosen = _Filter(
        state=query.choice("state", report.STATES),
        priority=query.choice("priority", _PRIORITIES),
        since=query.instant("since"),
        agency=None if call.may(Action.READ_ALL) else call.key.name,
    )
    cursor = query.cursor()
    if cursor and not cursor.partition("-")[0].isdecimal():
        raise refuse("bad-parameter", 400, "cursor is not one that we gave. Begin without it.")
    found, after = await _chosen(call.services, chosen, cursor=cursor, limit=query.limit())
    rows = [report.brief(alert, legs) for alert, legs in await with_legs(call.services, found)]
    return answer({"alerts": rows, "next": after or None})


async def _chosen(services: Services, chosen: _Filter, *, cursor: str, limit: int) -> tuple[list[StoredAlert], str]:
    found: list[StoredAlert] = []
    looked = 0
    while True:
        page, after = await services.alerts.page(before=cursor, limit=max(limit, 100))
        for alert in page:
            if chosen.over(alert):
                return found, ""
            if chosen.fits(alert):
                if len(found) == limit:
                    return found, _cursor(found[-1])
                found.append(alert)
        looked += len(page)
        if not after or looked >= MOST_LOOKED_AT:
            return found, after
        cursor = after


def _cursor(alert: StoredAlert) -> str:
    return f"{alert.number('received')}-{alert['id']}"


async def with_legs(services: Services, alerts: Sequence[StoredAlert]) -> list[tuple[StoredAlert, list[Leg]]]:
    """Return alerts with their legs, in one round trip."""
    ids = [leg_id for alert in alerts for leg_id in alert.legs]
    legs = dict(zip(ids, await services.legs.get_many(ids), strict=True)) if ids else {}
    return [(alert, [leg for i in alert.legs if (leg := legs[i]) is not None]) for alert in alerts]


async def get_alert(call: Call) -> web.StreamResponse:
    """Return all that is known of one alert; ``?wait=`` seconds for it to come to something."""
    query = Query(call.request, ("wait",))
    wait = query.seconds("wait", most=LONGEST_WAIT)
    if wants(call.request, _CAP, rather_than="application/json"):
        return original(await readable(call))
    try:
        stored = await _settled(call, seconds=wait)
        return answer(await alert_json(call, stored), headers={"Vary": "Accept, Accept-Language"})
    except StoreUnavailable:
        agency = None if call.may(Action.READ_ALL) else call.key.name
        known = call.request.app[RECENT].get(call.part("id"), agency=agency)
        if known is None:
            raise
        return answer(known)


async def alert_json(call: Call, stored: StoredAlert) -> dict[str, Any]:
    """Return one alert with its counts, chain and times."""
    services = call.services
    digests = stored["referenced"].split()
    references = await services.alerts.by_triples(digests)
    referrers = await services.alerts.referrers(stored["k1"])
    (_, legs), *_rest = await with_legs(services, [stored])
    document = report.full(stored, legs, chain=report.chain(stored, references=references, referrers=referrers))
    return {**document, "findings": report.findings(stored, language=call.language)}


async def _settled(call: Call, *, seconds: float) -> StoredAlert:
    """Return the alert once its state is one that lasts, or when the time is over."""
    services, closing = call.services, call.request.app[CLOSING]
    end = services.clock.monotonic() + seconds
    stored = await readable(call)
    state = stored["state"]
    while state not in report.SETTLED and services.clock.monotonic() < end and not closing.is_set():
        await asyncio.sleep(LOOK)
        state = await services.alerts.state(stored["id"])
    return stored if state == stored["state"] and not seconds else await readable(call)


async def readable(call: Call, *, with_raw: bool = True) -> StoredAlert:
    """Return the alert that the path names, when the caller may read it.

    Raises:
        Refused: 404 when it is not there or belongs to another agency.
        StoreUnavailable: nobody can look now, or it waits to be told to Redis.
    """
    services, alert_id = call.services, call.part("id")
    stored = await services.alerts.get(alert_id, with_raw=with_raw)
    if stored is None and call.request.app[RECENT].get(alert_id, agency=None) is not None:
        # Accepted here and not in Redis yet, or not any more: never "not found".
        raise StoreUnavailable("the alert waits to be told to Redis")
    if stored is None and services.state.pending:
        raise refuse(
            "store-unavailable",
            503,
            "Alerts wait to be told to Redis; this may be one of them.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    if stored is None or not (call.may(Action.READ_ALL) or stored["agency"] == call.key.name):
        raise not_found()
    if with_raw and stored["archived"]:
        raise refuse(
            "archived-elsewhere",
            404,
            f"The alert is in the archive of node {stored['archived']} (its node.id); ask the relay there.",
        )
    return stored


def original(stored: StoredAlert) -> web.Response:
    """Return the bytes as the agency posted them, with its own content type."""
    headers = {"Content-Type": stored["content_type"] or _CAP, "Content-Disposition": "attachment"}
    return web.Response(body=stored.raw, headers=headers)


async def get_why(call: Call) -> web.StreamResponse:
    """Explain what was decided about one alert."""
    Query(call.request, ())
    services, stored = call.services, await readable(call)
    alert = reparse(stored.raw, media=stored["media"], charset=stored["charset"], limits=services.accept.limits)
    namesakes = (await services.alerts.by_triples([stored["k1"]])).get(stored["k1"], ())
    own = [i for i in namesakes if call.may(Action.READ_ALL) or i == stored["id"]]
    known = await services.alerts.by_triples(
        [moded(reference_key(r), test=stored["mode"] == "test") for r in alert.references]
    )
    explained = why(stored, alert, namesakes=own, flash_events=services.settings.priority.flash_events)
    unknown = sum(not ids for ids in known.values())
    if unknown:
        explained["sentences"].append(f"{unknown} of the messages it refers to never came here.")
    return answer(explained)
