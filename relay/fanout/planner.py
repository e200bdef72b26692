"""The planner: takes plan jobs, the most urgent first, and publishes their legs (design §9)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from relay.adapter import Class, Kind
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.clock import Clock
from relay.errors import InvalidAlert, StoreUnavailable
from relay.fanout.admission import Admission
from relay.fanout.bell import CHECKS, Bells
from relay.fanout.contents import read_alert
from relay.fanout.matcher import Matcher
from relay.fanout.plan import Frame, Pairs, plan
from relay.fanout.precedence import Precedence
from relay.fanout.publisher import Publisher
from relay.fanout.recall import Recall
from relay.fanout.small_plans import SmallPlans
from relay.settings import Settings
from relay.store.alerts import Alerts, StoredAlert
from relay.store.legs import Legs
from relay.store.plan_jobs import PLAN_LANE

log = structlog.get_logger()

#: How soon a cancel looks again at chunks that were still being sent.
_AGAIN_MS = 100
#: How soon a plan that could not be made now is tried again.
_NOT_NOW_MS = 300
#: How many alerts are planned side by side: the time goes to waiting for Redis.
HANDS = 16
#: These many more when they are P0 or P1, so that large plans of low alerts never block the worst news.
URGENT_HANDS = 8
#: So many of those that can wait are planned by one hand, in one go.
TOGETHER = 32
#: A job that so many planners took and did not finish is planned by itself: it may be what they died of.
SUSPECT = 2
#: A job that so many took is held for a person.
SPOILED = 5
#: How soon a planner that is ahead of its lanes looks again, in seconds.
_AHEAD = 0.02
#: How long a full planner waits for a hand, in seconds; each that becomes free rings.
_FULL = 1.0
#: A plan for no more people than this is made in the event loop: a thread would cost more.
_FEW = 4000
#: An alert of more bytes than this is parsed in a thread.
_LARGE = 256 * 1024


class Planner:
    """One worker's planner."""

    def __init__(
        self,
        alerts: Alerts,
        legs: Legs,
        matcher: Matcher,
        bells: Bells,
        *,
        settings: Settings,
        limits: Limits,
        clock: Clock,
        precedence: Precedence | None = None,
    ) -> None:
        self._alerts = alerts
        self._matcher = matcher
        self.recall = Recall(alerts, legs, matcher, self._read, clock=clock)
        self._publisher = Publisher(legs, bells, clock=clock)
        self._bells = bells
        #: Holds back what Redis has no room for; None plans everything.
        self.admission: Admission | None = None
        self._settings = settings
        self._limits = limits
        self._clock = clock
        self._precedence = precedence or Precedence()
        self._hands = 0
        self._in_hand: set[str] = set()
        #: Plans small alerts together.
        self.small = SmallPlans(
            alerts,
            matcher,
            self._publisher,
            self._frame,
            limits=limits,
            precedence=self._precedence,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Plan until ``stopping``; then finish what is in hand."""
        async with asyncio.TaskGroup() as tasks:
            while not stopping.is_set():
                wait = _FULL if self._hands >= HANDS + URGENT_HANDS else await self._take(tasks)
                if wait:
                    await self._bells.wait(PLAN_LANE, seconds=wait)

    async def _take(self, tasks: asyncio.TaskGroup) -> float:
        """Take what is next; returns how long to wait before the next, 0 after a success."""
        try:
            taken = await self._alerts.take_plans(
                lease_ms=int(self._settings.engine.lease * 1000), urgent=self._crowded(), most=TOGETHER
            )
        except StoreUnavailable:
            return 0.2
        if not taken.alert_ids:
            return _AHEAD if self.small.is_ahead(self._ms()) else taken.wait / 1000
        fresh = [alert_id for alert_id in taken.alert_ids if alert_id not in self._in_hand]
        if not fresh:
            # Its lease ran out while it is planned here, slowly: nobody died of it.
            await self._put_off(taken.alert_ids[0])
        elif taken.takes >= SUSPECT:
            await self._suspect(fresh[0], taken.takes)
        else:
            tasks.create_task(self._work(fresh), name=f"plan {fresh[0]}")
        return 0.0

    async def _suspect(self, alert_id: str, takes: int) -> None:
        """Plan by itself what was in hand when planners died; hold what several died of with nothing beside it.

        Others that were in hand with it come through here, one after the other; only the culprit does not.
        """
        log.warning("plan_suspected", alert=alert_id, takes=takes)
        if takes < SPOILED:
            await self._work([alert_id])
            return
        log.error("plan_spoiled", alert=alert_id, takes=takes)
        await self._held(alert_id, reason="plan_failed")

    async def _work(self, alert_ids: Sequence[str]) -> None:
        self._hands += 1
        self._in_hand.update(alert_ids)
        self._crowded()
        try:
            await (self._together(alert_ids) if len(alert_ids) > 1 else self._guarded(alert_ids[0]))
        finally:
            self._hands -= 1
            self._in_hand.difference_update(alert_ids)
            self._crowded()
            self._bells.ring(PLAN_LANE)
            self._bells.ring(CHECKS)

    async def _together(self, alert_ids: Sequence[str]) -> None:
        """Plan several alerts in one go; those that want more thought, or go wrong, are planned alone after."""
        try:
            alone = await self.small.plan(alert_ids, self.admission)
        except StoreUnavailable:
            alone = set(alert_ids)
        except Exception:  # a defect in one of them must not keep the others back
            log.exception("planned_one_by_one", alerts=len(alert_ids))
            alone = set(alert_ids)
        for alert_id in filter(alone.__contains__, alert_ids):
            await self._put_off(alert_id)  # it was leased with the others, and some time ago
            await self._guarded(alert_id)

    async def _put_off(self, alert_id: str) -> None:
        """Lease a job from now on that is in hand here."""
        with suppress(StoreUnavailable):
            await self._alerts.put_off_plan(alert_id, until_ms=self._ms() + int(self._settings.engine.lease * 1000))

    def _crowded(self) -> bool:
        """Whether nothing but P0 and P1 is taken, because all hands are full or the lanes far behind; bells pass by."""
        crowded = self._hands >= HANDS or self.small.is_ahead(self._ms())
        if crowded:
            self._bells.crowded.add(PLAN_LANE)
        else:
            self._bells.crowded.discard(PLAN_LANE)
        return crowded

    async def _guarded(self, alert_id: str) -> None:
        """Plan one alert; a plan that cannot be made must not stop the next."""
        try:
            await self.plan(alert_id)
        except StoreUnavailable:
            with suppress(StoreUnavailable):  # else the job's lease brings it back
                await self._alerts.put_off_plan(alert_id, until_ms=self._ms() + _NOT_NOW_MS)
        except InvalidAlert:
            log.exception("alert_unreadable", alert=alert_id)
            await self._held(alert_id, reason="integrity")
        except Exception:  # a defect in one alert's plan is held for a person, never dropped
            log.exception("plan_failed", alert=alert_id)
            await self._held(alert_id, reason="plan_failed")

    async def _held(self, alert_id: str, *, reason: str) -> None:
        with suppress(StoreUnavailable):  # else it is planned once more, with the same end
            await self._alerts.hold(alert_id, reason=reason)
            await self.recall.give_back(alert_id)

    async def plan(self, alert_id: str) -> str:
        """Plan one alert; returns its state afterwards.

        Raises:
            StoreUnavailable: Redis is away; the job's lease runs out and somebody plans it again.
            InvalidAlert: the stored bytes are damaged.
        """
        stored = await self._alerts.get(alert_id)
        if stored is None or stored["state"] not in ("accepted", "active"):
            await self._alerts.drop_plan(alert_id)
            return stored["state"] if stored else "unknown"
        if hashlib.sha256(stored.raw).hexdigest() != stored["sha256"]:
            await self._held(alert_id, reason="integrity")
            return "held"
        if stored["msgType"] != "Cancel" and stored["pass"]:
            # Another planner was faster: an alert is planned once.
            await self._alerts.drop_plan(alert_id)
            return stored["state"]
        with self._precedence.ahead(stored.klass):
            alert = await self._read(stored)
            if alert.msg_type == "Cancel":
                return await self._cancel(stored, alert)
            return await self._alert(stored, alert)

    async def _read(self, stored: StoredAlert) -> Alert:
        """Parse an alert; a large one in a thread, for this worker also sends."""
        if len(stored.raw) <= _LARGE:
            return read_alert(stored, self._limits)
        return await asyncio.to_thread(read_alert, stored, self._limits)

    async def _alert(self, stored: StoredAlert, alert: Alert) -> str:
        if self.admission is not None and not await self.admission.admits(stored):
            return stored["state"]
        audience = await self._matcher.match(alert, drill=stored.klass is Class.PX)
        frame = self._frame(stored, alert)
        if audience.recipients <= _FEW:
            legs = plan(frame, audience.pairs)
        else:
            legs = await asyncio.to_thread(plan, frame, audience.pairs)
        if self.admission is not None and not await self.admission.admits(stored, legs):
            return stored["state"]
        if over := await self.recall.over(stored):
            return over
        if alert.msg_type == "Update":
            await self.recall.supersede(stored)
        return await self._publisher.publish(stored, legs, audience.recipients)

    async def _cancel(self, stored: StoredAlert, alert: Alert) -> str:
        """Stop the cancelled alerts, and tell exactly those who were, or may have been, told of them."""
        targets = await self.recall.cancel(stored)
        if targets is None or await self._alerts.fenced():
            # What it ends, or who was told of that in the last seconds, is not back in Redis yet.
            await self._alerts.put_off_plan(stored["id"], until_ms=self._ms() + _AGAIN_MS)
            return stored["state"]
        places: Mapping[Kind, Pairs] = {}
        if len(alert.info) > 1:
            places = (await self._matcher.match(alert, drill=stored.klass is Class.PX)).pairs
        found = await self.recall.notices(stored, alert, targets, self._frame(stored, alert), places)
        state = await self._publisher.publish(stored, found.legs, found.people, number=found.number, waits=found.waits)
        if found.waits:
            await self._alerts.put_off_plan(stored["id"], until_ms=self._ms() + _AGAIN_MS)
        return state

    def _frame(self, stored: StoredAlert, alert: Alert) -> Frame:
        flash: Collection[str] = self._settings.priority.flash_events
        return Frame(
            alert_id=stored["id"],
            alert=alert,
            klass=stored.klass,
            expires=datetime.fromtimestamp(stored.number("expires") / 1000, UTC),
            assumed_hours=self._settings.cap.assumed_expires_hours,
            flash_events=flash,
            partition=self._alerts.partition(stored["id"]),
        )

    def _ms(self) -> int:
        return int(self._clock.time() * 1000)
