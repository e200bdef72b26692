"""``/a/{token}``: the whole alert as a page for who was told, and his answer; no sign-in, a GET changes nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from relay.api import body
from relay.api.call import Call, Route, answer
from relay.api.documents import Document, read_document
from relay.api.problems import refuse
from relay.api.services import Services
from relay.api.views import original
from relay.errors import StoreUnavailable
from relay.fanout.contents import Contents, LegFacts, Vanished
from relay.fanout.ids import DeliveryRef
from relay.fanout.segment import SEGMENT
from relay.messages.message import Message
from relay.messages.page import Answer, Standing, ack_page, style_source, unknown_page
from relay.store.cursor import CANCELLED, SUPERSEDED
from relay.store.legs import Leg
from relay.tracking import token
from relay.tracking.recent_legs import FindsLegs, RecentLegs
from relay.tracking.states import Flag, Record, State

log = structlog.get_logger()

LONGEST_FORM = 4 * 1024

_MOST_PAGES = 128

_FORM = "application/x-www-form-urlencoded"
_HTML = {"Content-Type": "text/html; charset=utf-8"}


class AnswerDocument(Document):
    """The body of an answer as JSON."""

    answer: str = "1"


def routes(services: Services) -> list[Route]:
    """Return the routes of this file."""
    pages = Pages(services)
    return [
        Route("GET", "/a/{token}", pages.show),
        Route("POST", "/a/{token}", pages.take),
        Route("GET", "/a/{token}/cap", pages.cap),
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a link leads to."""

    ref: DeliveryRef
    leg: Leg
    facts: LegFacts
    record: Record
    variant: int


class Pages:
    """The pages behind the links that were sent."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._recent = RecentLegs(services.legs)
        self._written: OrderedDict[tuple[str, int, Standing, Answer | None], bytes] = OrderedDict()
        self._contents = Contents(
            services.alerts,
            services.legs,
            limits=services.accept.limits,
            ack_url_length=len(services.settings.base_url),
        )

    async def show(self, call: Call) -> web.StreamResponse:
        """Show the alert."""
        ref = self._ref(call)
        found = await self._find(ref) if ref is not None else None
        return self._page(found, _answered(found)) if found is not None else _unknown()

    async def take(self, call: Call) -> web.StreamResponse:
        """Take the answer, journalled before anything is shown."""
        ref = self._ref(call)
        if ref is None:
            return _unknown()
        digit = await self._digit(call)
        wants_page = call.request.content_type == _FORM
        found = None
        try:
            leg = await self._leg(ref, self._recent)
            if leg is None:
                return _unknown()
            # The record is what the answer makes it: only a page that is shown again must read it.
            found = await self._describe(ref, leg, Record()) if wants_page else None
            if wants_page and found is None:
                return _unknown()
        except StoreUnavailable:
            log.debug("answered_without_redis", delivery=str(ref))
        await self._services.acknowledge.acknowledge(ref, answer=int(digit), via="link")
        log.info("acknowledged", delivery=str(ref), answer=digit)
        if found is None:
            return answer({"delivery_id": str(ref), "state": "acknowledged", "answer": digit})
        now = self._services.clock.now()
        return self._page(found, Answer(digit=digit, late=self._over(found), at=now))

    async def cap(self, call: Call) -> web.StreamResponse:
        """Return the agency's original bytes."""
        ref = self._ref(call)
        found = await self._find(ref) if ref is not None else None
        stored = await self._services.alerts.get(found.facts.alert_id) if found is not None else None
        return original(stored) if stored is not None else _unknown()

    def _ref(self, call: Call) -> DeliveryRef | None:
        return token.read(call.part("token"), self._services.secret)

    async def _digit(self, call: Call) -> str:
        timeout = self._services.settings.api.body_timeout
        if call.request.content_type == _FORM:
            raw = await body.read(call.request, limit=LONGEST_FORM, timeout=timeout)
            digit = _form(raw).get("answer", "1")
        else:
            digit = (await read_document(call.request, AnswerDocument, timeout=timeout, optional=True)).answer
        if digit not in {"1", "2", "3", "4", "5", "6", "7", "8", "9"}:
            raise refuse("bad-parameter", 400, "answer is one digit from 1 to 9.")
        return digit

    async def _find(self, ref: DeliveryRef) -> _Found | None:
        leg = await self._leg(ref, self._services.legs)
        if leg is None:
            return None
        number, position = divmod(ref.rank, SEGMENT)
        data = await self._services.legs.records(ref.leg_id, number, first=position, last=position + 1)
        return await self._describe(ref, leg, Record.unpack(data))

    async def _leg(self, ref: DeliveryRef, legs: FindsLegs) -> Leg | None:
        """Return the leg of a delivery; None when there is no such delivery."""
        number, position = divmod(ref.rank, SEGMENT)
        leg = await legs.get(ref.leg_id)
        known = leg is not None and number < len(leg.cursor.sizes) and position < leg.cursor.sizes[number]
        return leg if known else None

    async def _describe(self, ref: DeliveryRef, leg: Leg, record: Record) -> _Found | None:
        number, position = divmod(ref.rank, SEGMENT)
        try:
            facts = await self._contents.facts(ref.leg_id)
            segment = await self._contents.segment(ref.leg_id, number)
        except Vanished:
            return None
        return _Found(ref, leg, facts, record, int(segment.variants[position]))

    def _page(self, found: _Found, answered: Answer | None) -> web.Response:
        standing = self._standing(found)
        if answered is not None and answered.at is not None:  # as a page tells it
            answered = replace(answered, at=answered.at.replace(second=0, microsecond=0))
        which = (found.ref.leg_id, found.variant, standing, answered)
        html = self._written.get(which)
        if html is None:
            # All who answer an alert in the same minute get the same page.
            html = self._written[which] = self._write(found, standing, answered)
            if len(self._written) > _MOST_PAGES:
                self._written.popitem(last=False)
        return web.Response(body=html, headers=_page_headers())

    def _write(self, found: _Found, standing: Standing, answered: Answer | None) -> bytes:
        facts = found.facts
        info = facts.infos[found.variant] if found.variant < len(facts.infos) else None
        message = Message(
            alert=facts.alert,
            info=info,
            alert_id=facts.alert_id,
            klass=facts.klass,
            expires=datetime.fromtimestamp(facts.expires_ms / 1000, UTC),
            two_way=False,
        )
        return ack_page(message, standing=standing, answer=answered).encode()

    def _standing(self, found: _Found) -> Standing:
        flags = found.leg.cursor.flags
        if flags & CANCELLED:
            return Standing.CANCELLED
        if flags & SUPERSEDED:
            return Standing.UPDATED
        return Standing.EXPIRED if self._over(found) else Standing.OPEN

    def _over(self, found: _Found) -> bool:
        return found.leg.cursor.stopped or self._services.clock.time() * 1000 >= found.facts.expires_ms


def _answered(found: _Found | None) -> Answer | None:
    if found is None or found.record.state is not State.ACKNOWLEDGED:
        return None
    record = found.record
    at = datetime.fromtimestamp((found.leg.cursor.start + record.due * 10) / 1000, UTC) if record.due else None
    return Answer(digit=str(record.answer or 1), late=Flag.LATE_ANSWER in record.flags, at=at)


def _unknown() -> web.Response:
    """Return the same page for every link that leads nowhere."""
    return web.Response(status=404, body=unknown_page().encode(), headers=_page_headers())


@cache
def _page_headers() -> Mapping[str, str]:
    policy = (
        f"default-src 'none'; style-src {style_source()}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {**_HTML, "Content-Security-Policy": policy, "X-Robots-Tag": "noindex, nofollow"}


def _form(raw: bytes) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(raw.decode("ascii"), max_num_fields=8))
    except (UnicodeDecodeError, ValueError) as error:
        raise refuse("bad-parameter", 400, "The form cannot be read.") from error
