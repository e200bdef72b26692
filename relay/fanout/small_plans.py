"""Small plans: alerts for few people are planned together, in as many questions to Redis as one takes alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from relay.adapter import Class
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.errors import InvalidAlert
from relay.fanout.admission import Admission
from relay.fanout.contents import read_alert
from relay.fanout.matcher import Audience, Matcher
from relay.fanout.plan import Frame, plan
from relay.fanout.precedence import Precedence
from relay.fanout.publisher import FEW, Published, Publisher, Small
from relay.store.alerts import Alerts, StoredAlert

#: An alert of more bytes than this is no small one.
_LARGE = 32 * 1024

Read = tuple[StoredAlert, Alert]


class SmallPlans:
    """Plans what needs no second thought; all else is left to be planned alone."""

    def __init__(
        self,
        alerts: Alerts,
        matcher: Matcher,
        publisher: Publisher,
        frame: Callable[[StoredAlert, Alert], Frame],
        *,
        limits: Limits,
        precedence: Precedence,
    ) -> None:
        self._alerts = alerts
        self._matcher = matcher
        self._publisher = publisher
        self._frame = frame
        self._limits = limits
        self._precedence = precedence
        #: Called with each leg that became claimable: whoever sends it here need not read it again.
        self.on_published: Callable[[Published], None] = lambda _: None
        #: Asked (with the time in ms) whether the lanes have enough to do.
        self.is_ahead: Callable[[float], bool] = lambda _: False

    async def plan(self, alert_ids: Sequence[str], admission: Admission | None) -> set[str]:
        """Plan several alerts; returns those that must be planned alone.

        Raises:
            StoreUnavailable: Redis is away; plan each again.
        """
        read: list[Read] = []
        for stored in await self._alerts.get_many(alert_ids):
            if stored is not None and plain(stored):
                await self._precedence.give_way(stored.klass)
                alert = self._read(stored)
                read += [(stored, alert)] if alert is not None else []
        audiences = await self._matcher.match_many([(alert, stored.klass is Class.PX) for stored, alert in read])
        plans = [found for r, audience in zip(read, audiences, strict=True) if (found := self._small(r, audience))]
        words = await self._alerts.referrers_of_many([small.stored["k1"] for small in plans])
        # What refers to an alert may end it: that is a matter of its own.
        plans = [small for small, said in zip(plans, words, strict=True) if not said]
        parked = {s.stored["id"] for s in plans if admission and not await admission.admits(s.stored, s.legs)}
        plans = [small for small in plans if small.stored["id"] not in parked]
        if not plans:
            return set(alert_ids) - parked
        published, unanswered = await self._publisher.publish_small(plans)
        for leg in published:
            self.on_published(leg)
        done = {small.stored["id"] for small in plans} - set(unanswered)
        return set(alert_ids) - done - parked

    def _read(self, stored: StoredAlert) -> Alert | None:
        try:
            return read_alert(stored, self._limits)
        except InvalidAlert:
            return None

    def _small(self, read: Read, audience: Audience) -> Small | None:
        if sum(len(pairs) for pairs in audience.pairs.values()) > FEW:
            return None
        stored, alert = read
        return Small(stored, alert, plan(self._frame(stored, alert), audience.pairs), audience.recipients)


def plain(stored: StoredAlert) -> bool:
    """Whether an alert is a first word of whole bytes, and waits for nothing but its plan."""
    return (
        (stored["state"], stored["msgType"], stored["pass"], stored["reason"]) == ("accepted", "Alert", "", "")
        and len(stored.raw) <= _LARGE
        and hashlib.sha256(stored.raw).hexdigest() == stored["sha256"]
    )
