"""What a leg's recipients read: rendered once per variant, kept while the leg is being sent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from relay.adapter import Class, Content, Kind
from relay.cap.model import Alert, Info
from relay.cap.parse import Limits, parse_json, parse_xml
from relay.cap.xml_out import to_xml
from relay.errors import RelayError
from relay.fanout.just_planned import JustPlanned
from relay.fanout.publisher import Published
from relay.fanout.segment import SEGMENT, Segment
from relay.messages.message import Message
from relay.messages.render import render
from relay.store.alerts import Alerts, StoredAlert
from relay.store.chunk import Chunk
from relay.store.cursor import AGAIN, Cursor
from relay.store.legs import Leg, Legs

K = TypeVar("K")
V = TypeVar("V")

_KEPT_LEGS = 2000
_KEPT_DELIVERIES = 64 * SEGMENT


class Vanished(RelayError):
    """The leg, its alert or its segment is not in the store any more; the lease runs out by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFacts:
    """What never changes of a leg while it is sent."""

    leg_id: str
    alert_id: str
    kind: Kind
    klass: Class
    alert: Alert
    infos: tuple[Info, ...]  # what the segments' variants count in
    raw: bytes
    xml: bool  # whether ``raw`` is CAP in XML, as the agency wrote it
    sizes: tuple[int, ...]
    start_ms: float
    expires_ms: float
    drill: bool
    simulated: bool
    again: bool  # planned anew after a loss: whatever is sent may come twice
    contents: dict[tuple[int, bool], Content]

    def centi(self, seconds: float) -> int:
        """Return a time (seconds since the epoch) as records have it: hundredths of a second since the leg was made."""
        return max(0, int((seconds * 1000 - self.start_ms) / 10))


def read_alert(stored: StoredAlert, limits: Limits) -> Alert:
    """Parse the original bytes again; the same code accepted them.

    Raises:
        relay.errors.InvalidAlert: they are damaged.
    """
    if stored["media"] == "json":
        return parse_json(stored.raw, limits=limits, strict=False).alert
    return parse_xml(stored.raw, charset=stored["charset"] or None, limits=limits, strict=False).alert


class Contents:
    """Facts, segments and renderings of the legs that this worker sends."""

    def __init__(self, alerts: Alerts, legs: Legs, *, limits: Limits, ack_url_length: int) -> None:
        self._alerts = alerts
        self._legs = legs
        self._limits = limits
        self._ack_url_length = ack_url_length
        self._facts: OrderedDict[str, LegFacts] = OrderedDict()
        self._segments: OrderedDict[tuple[str, int], Segment] = OrderedDict()
        self._deliveries = 0  # in the segments that are kept
        #: What was planned here just now, so that it need not be read again.
        self.planned = JustPlanned()

    async def facts(self, leg_id: str) -> LegFacts:
        """Return the facts of a leg.

        Raises:
            Vanished: the leg or its alert is gone.
            StoreUnavailable: Redis is away.
        """
        if not self._knows(leg_id):
            _keep(self._facts, leg_id, await self._read(leg_id), _KEPT_LEGS)
        return self._facts[leg_id]

    async def segment(self, leg_id: str, number: int) -> Segment:
        """Return a segment.

        Raises:
            Vanished: it is gone.
            StoreUnavailable: Redis is away.
        """
        known = self._segments.get((leg_id, number))
        if known is None:
            known = await self._legs.segment(leg_id, number)
            if known is None:
                raise Vanished(f"segment {number} of leg {leg_id}")
            self._keep_segment(leg_id, known)
        return known

    async def fetch(self, chunks: Sequence[Chunk]) -> None:
        """Read in few questions what several small legs are; what is missing is asked for later.

        Raises:
            StoreUnavailable: Redis is away.
        """
        unknown = [chunk.leg_id for chunk in chunks if not self._knows(chunk.leg_id)]
        if len(chunks) == 1 or not unknown:
            return
        legs = [leg for leg in await self._legs.get_many(unknown) if leg is not None and len(leg.cursor.sizes) == 1]
        legs = [leg for leg in legs if leg.facts.get("variants_of", leg.facts["alert"]) == leg.facts["alert"]]
        segments = await self._legs.first_segments([leg.leg_id for leg in legs])
        alerts = await self._alerts.get_many([leg.facts["alert"] for leg in legs])
        for leg, segment, stored in zip(legs, segments, alerts, strict=True):
            if stored is not None and segment is not None:
                alert = read_alert(stored, self._limits)
                facts = _facts(leg.leg_id, Kind(leg.lane), leg.cursor, stored, alert, alert.info)
                _keep(self._facts, leg.leg_id, facts, _KEPT_LEGS)
                self._keep_segment(leg.leg_id, segment)

    def remember(self, new: Published) -> None:
        """Keep what was planned here just now."""
        leg, alert = new.leg, new.plan.alert
        facts = _facts(leg.leg_id, leg.kind, new.cursor, new.plan.stored, alert, alert.info)
        self.planned.add(facts, leg.segments)

    def _knows(self, leg_id: str) -> bool:
        """Whether a leg need not be read."""
        if leg_id not in self._facts and (planned := self.planned.take(leg_id)) is not None:
            facts, segments = planned
            _keep(self._facts, leg_id, facts, _KEPT_LEGS)
            for segment in segments:
                self._keep_segment(leg_id, segment)
        return leg_id in self._facts

    def sent(self, leg_id: str) -> None:
        """Make room: all of a small leg is sent."""
        self._facts.pop(leg_id, None)
        self._drop(leg_id, 0)

    def forget(self) -> None:
        """Forget everything: the store may have been emptied and filled again."""
        self._facts.clear()
        self.planned.clear()
        self._segments.clear()
        self._deliveries = 0

    def _keep_segment(self, leg_id: str, segment: Segment) -> None:
        self._drop(leg_id, segment.number)
        self._segments[leg_id, segment.number] = segment
        self._deliveries += len(segment)
        while self._deliveries > _KEPT_DELIVERIES:
            self._drop(*next(iter(self._segments)))

    def _drop(self, leg_id: str, number: int) -> None:
        segment = self._segments.pop((leg_id, number), None)
        self._deliveries -= len(segment) if segment is not None else 0

    def content(self, facts: LegFacts, variant: int, *, two_way: bool) -> Content:
        """Return the rendering of a variant; the first call renders it."""
        known = facts.contents.get((variant, two_way))
        if known is None:
            info = facts.infos[variant] if variant < len(facts.infos) else None
            message = Message(
                alert=facts.alert,
                info=info,
                alert_id=facts.alert_id,
                klass=facts.klass,
                expires=datetime.fromtimestamp(facts.expires_ms / 1000, UTC),
                two_way=two_way,
                ack_url_length=self._ack_url_length,
            )
            known = replace(render(message, facts.kind), cap=_cap(facts))
            facts.contents[variant, two_way] = known
        return known

    async def _read(self, leg_id: str) -> LegFacts:
        leg = await self._legs.get(leg_id)
        stored = await self._alerts.get(leg.facts["alert"]) if leg is not None else None
        if leg is None or stored is None:
            raise Vanished(f"leg {leg_id}")
        alert = read_alert(stored, self._limits)
        return _facts(leg_id, Kind(leg.facts["kind"]), leg.cursor, stored, alert, await self._infos(leg, alert))

    async def _infos(self, leg: Leg, alert: Alert) -> tuple[Info, ...]:
        """Return the infos that variants count in: a bare Cancel is read with those of the alert it cancels."""
        of = leg.facts.get("variants_of", "")
        if not of or of == leg.facts["alert"]:
            return alert.info
        stored = await self._alerts.get(of)
        return read_alert(stored, self._limits).info if stored is not None else ()


def _facts(
    leg_id: str, kind: Kind, cursor: Cursor, stored: StoredAlert, alert: Alert, infos: tuple[Info, ...]
) -> LegFacts:
    return LegFacts(
        leg_id=leg_id,
        alert_id=stored["id"],
        kind=kind,
        klass=cursor.klass,
        alert=alert,
        infos=infos,
        raw=stored.raw,
        xml=stored["media"] != "json",
        sizes=cursor.sizes,
        start_ms=cursor.start,
        expires_ms=cursor.expires,
        drill=cursor.klass is Class.PX,
        simulated=stored["mode"] == "test",
        again=bool(cursor.flags & AGAIN),
        contents={},
    )


def _cap(facts: LegFacts) -> bytes:
    """Return the alert for those who read CAP: the agency's bytes, or, when it posted JSON, the same alert as XML."""
    return facts.raw if facts.xml or facts.kind is not Kind.WEBHOOK else to_xml(facts.alert)


def _keep(cache: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    cache[key] = value
    while len(cache) > most:
        cache.popitem(last=False)
