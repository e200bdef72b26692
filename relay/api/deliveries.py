"""``GET /v1/alerts/{id}/deliveries``: what became of every delivery, by pages."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from relay.adapter import Kind
from relay.api.call import Call, Route, answer
from relay.api.query import Query, bad
from relay.api.services import Services
from relay.api.views import readable, with_legs
from relay.fanout.ids import DeliveryRef
from relay.intake.authority import Action
from relay.store.legs import Leg
from relay.tracking.deliveries import Deliveries, Wanted
from relay.tracking.states import State

_STATES = {state.word: state for state in State}
_KINDS = tuple(kind.value for kind in Kind)


def routes(_: Services) -> list[Route]:
    """Return the route of this file."""
    needs = frozenset({Action.READ_OWN, Action.READ_ALL})
    return [Route("GET", "/v1/alerts/{id}/deliveries", list_deliveries, needs)]


async def list_deliveries(call: Call) -> web.StreamResponse:
    """List deliveries by leg and rank."""
    query = Query(call.request, ("cursor", "limit", "state", "kind", "recipient"))
    services = call.services
    stored = await readable(call, with_raw=False)
    (_, legs), *_rest = await with_legs(services, [stored])
    after = _after(query.cursor(), legs)
    state = query.choice("state", _STATES)
    kind = query.choice("kind", _KINDS)
    recipient = query.text("recipient", most=64)
    ordinal = await services.directory_store.ordinal(recipient) if recipient else None
    if recipient and ordinal is None:
        return answer({"deliveries": [], "next": None})
    wanted = Wanted(state=_STATES.get(state), kind=kind, ordinal=ordinal, limit=query.limit())
    page = await Deliveries(services.legs, services.directory_store).page(legs, wanted, after=after)
    return answer({"deliveries": page.rows, "next": str(page.next) if page.next else None})


def _after(cursor: str, legs: Sequence[Leg]) -> DeliveryRef | None:
    if not cursor:
        return None
    ref = DeliveryRef.parse(cursor)
    if ref is None or ref.leg_id not in {leg.leg_id for leg in legs}:
        raise bad("cursor is not one that we gave for this alert. Begin without it.")
    return ref
