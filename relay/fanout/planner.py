"""The planner: takes plan jobs, the most urgent first, and publishes their legs (design §9)."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import structlog

from relay.adapter import Class, Kind
from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.clock import Clock
from relay.errors import InvalidAlert, StoreUnavailable
from relay.fanout.admission import Admission
from relay.fanout.bell import Bells
from relay.fanout.contents import read_alert
from relay.fanout.coverage import Range
from relay.fanout.gathered import Gathered
from relay.fanout.plan import Frame, Pairs, PlannedLeg, joined, notice, plan, translate
from relay.fanout.precedence import Precedence
from relay.fanout.told import Audiences, pack_waits, read_waits
from relay.settings import Settings
from relay.store.alerts import Alerts, StoredAlert
from relay.store.cursor import AGAIN, Cursor
from relay.store.legs import Legs, NewLeg, Publication
from relay.store.plan_jobs import PLAN_LANE

log = structlog.get_logger()

#: How soon a cancel looks again at chunks that were still being sent.
_AGAIN_MS = 100
#: How soon a plan that could not be made now is tried again.
_NOT_NOW_MS = 300
_CHAIN = 50
#: An alert of more bytes than this is parsed in a thread.
_LARGE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is to be told: how many people, and their deliveries by kind."""

    recipients: int
    pairs: Mapping[Kind, Pairs]


class Matcher(Protocol):
    """Finds the audience of an alert in the node's index."""

    async def match(self, alert: Alert, *, drill: bool) -> Audience:
        """Return who is to be told of ``alert``, from an index that knows every change made so far."""
        ...


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
        self._legs = legs
        self._matcher = matcher
        self._audiences = Audiences(legs)
        self._bells = bells
        #: Holds back what Redis has no room for; None plans everything.
        self.admission: Admission | None = None
        self._settings = settings
        self._limits = limits
        self._clock = clock
        self._precedence = precedence or Precedence()

    async def run(self, stopping: asyncio.Event) -> None:
        """Plan until ``stopping``."""
        lease_ms = int(self._settings.engine.lease * 1000)
        while not stopping.is_set():
            try:
                alert_id, wait = await self._alerts.take_plan(lease_ms=lease_ms)
                if alert_id:
                    with self._bells.busy(PLAN_LANE):
                        await self._guarded(alert_id)
                else:
                    await self._bells.wait(PLAN_LANE, seconds=wait / 1000)
            except StoreUnavailable:
                await asyncio.sleep(0.2)

    async def _guarded(self, alert_id: str) -> None:
        """Plan one alert; a plan that cannot be made must not stop the next."""
        try:
            await self.plan(alert_id)
        except StoreUnavailable:
            await self._alerts.put_off_plan(alert_id, until_ms=self._ms() + _NOT_NOW_MS)
        except InvalidAlert:
            log.exception("alert_unreadable", alert=alert_id)
            await self._alerts.hold(alert_id, reason="integrity")
        except Exception:  # a defect in one alert's plan is held for a person, never dropped
            log.exception("plan_failed", alert=alert_id)
            await self._alerts.hold(alert_id, reason="plan_failed")

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
            await self._alerts.hold(alert_id, reason="integrity")
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
        legs = await asyncio.to_thread(plan, self._frame(stored, alert), audience.pairs)
        if self.admission is not None and not await self.admission.admits(stored, legs):
            return stored["state"]
        if alert.msg_type == "Update":
            for target in await self._targets(stored):
                await self._stop(target, state="superseded", cause=stored["id"])
        return await self._publish(stored, legs, audience.recipients, number=0, waits="")

    async def _cancel(self, stored: StoredAlert, alert: Alert) -> str:
        """Stop the cancelled alerts, and tell exactly those who were, or may have been, told of them.

        Chunks that are still being sent are waited for: their people are told, if they were, in a later pass.
        """
        found = await self._targets(stored, chain=True)
        targets = [await self._stop(target, state="cancelled", cause=stored["id"]) for target in found]
        if await self._alerts.fenced():
            # Who was told in the last seconds is not in the records yet.
            await self._alerts.put_off_plan(stored["id"], until_ms=self._ms() + _AGAIN_MS)
            return stored["state"]
        number = stored.number("pass") + 1 if stored["pass"] else 0
        waits = read_waits(stored["waits"]) if number else None
        gathered = Gathered()
        still: dict[str, Sequence[Range]] = {}
        for target in targets:
            mine = None if waits is None else {leg: waits[leg] for leg in target.legs if leg in waits}
            look = await self._audiences.look(target.legs, waits=mine)
            still.update(look.waits)
            for (infos, kind), pairs in look.told.items():
                fresh = gathered.new(kind, pairs)
                if alert.info:
                    fresh = await self._reread(alert, fresh, target, infos)
                gathered.add(stored["id"] if alert.info else infos, kind, fresh)
        legs = self._notices(stored, alert, gathered, number)
        people = len({int(o) for leg in legs for s in leg.segments for o in s.ordinals})
        text = pack_waits(still)
        state = await self._publish(stored, legs, people, number=number, waits=text)
        if text:
            await self._alerts.put_off_plan(stored["id"], until_ms=self._ms() + _AGAIN_MS)
        return state

    async def _stop(self, target: StoredAlert, *, state: str, cause: str) -> StoredAlert:
        """Stop an alert, and the legs that another planner published after it was read; returns it as it is then."""
        await self._alerts.stop(target, state=state, cause=cause)
        after = await self._alerts.get(target["id"]) or target
        if after.legs != target.legs:
            await self._alerts.stop(after, state=state, cause=cause)
        return after

    async def _reread(self, alert: Alert, pairs: Pairs, target: StoredAlert, infos: str) -> Pairs:
        """Let people who read the infos of an earlier alert read those of the cancel, in the nearest language."""
        old = target if infos == target["id"] else await self._alerts.get(infos)
        table = translate((await self._read(old)).info if old else (), alert.info)
        return Pairs(pairs.ordinals, pairs.slots, table[np.minimum(pairs.infos, len(table) - 1)])

    def _notices(self, stored: StoredAlert, alert: Alert, gathered: Gathered, number: int) -> list[PlannedLeg]:
        legs: list[PlannedLeg] = []
        for place, (infos, kinds) in enumerate(gathered.by_infos.items()):
            told = {kind: joined(parts) for kind, parts in kinds.items()}
            legs += notice(self._frame(stored, alert), told, round_number=number * _CHAIN + place, variants_of=infos)
        return legs

    async def _targets(self, stored: StoredAlert, *, chain: bool = False) -> list[StoredAlert]:
        """Return the alerts that ``stored`` refers to, newest first; ``chain``: and those that they had replaced."""
        found: dict[str, StoredAlert] = {}
        sources = [stored]
        while sources and len(found) < _CHAIN:
            source = sources.pop(0)
            digests = source["referenced"].split()
            if source is not stored:
                digests = [digest for digest in digests if await self._in_force(source, digest)]
            by_triple = await self._alerts.by_triples(digests)
            for alert_id in sorted({i for ids in by_triple.values() for i in ids} - found.keys() - {stored["id"]}):
                target = await self._alerts.get(alert_id)
                if target is not None:
                    found[alert_id] = target
                    sources += [target] if chain else []
        return sorted(found.values(), key=lambda t: -t.number("received"))[:_CHAIN]

    async def _in_force(self, source: StoredAlert, digest: str) -> bool:
        """Say whether ``source`` was ever accepted as a word on this triple: what is held replaces nothing."""
        return any(alert_id == source["id"] for _, alert_id in await self._alerts.referrers(digest))

    async def _publish(
        self, stored: StoredAlert, legs: Sequence[PlannedLeg], recipients: int, *, number: int, waits: str
    ) -> str:
        now, token = self._ms(), secrets.token_hex(8)
        for leg in legs:
            await self._legs.stage_segments(leg.leg_id, await asyncio.to_thread(leg.pack), token=token)
        state = await self._legs.publish(
            stored["id"],
            Publication(
                legs=[_new_leg(stored, leg, now, token) for leg in legs],
                recipients=recipients,
                number=number,
                waits=waits,
                reason="no_recipients",
            ),
            now_ms=now,
        )
        if state == "lost":
            raise StoreUnavailable("the plan's segments were lost before it was published")
        log.info("planned", alert=stored["id"], state=state, legs=len(legs), recipients=recipients)
        for leg in legs:
            self._bells.ring(leg.kind, leg=leg.leg_id)
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


def _new_leg(stored: StoredAlert, leg: PlannedLeg, now_ms: int, token: str) -> NewLeg:
    return NewLeg(
        leg_id=leg.leg_id,
        lane=leg.kind,
        cursor=Cursor(
            klass=leg.klass,
            flags=AGAIN if stored["again"] else 0,
            expires=leg.expires.timestamp() * 1000,
            start=now_ms,
            sizes=tuple(len(segment) for segment in leg.segments),
        ),
        fields={
            "alert": stored["id"],
            "kind": leg.kind,
            "round": str(leg.round_number),
            "variants_of": leg.variants_of,
            "class": leg.klass,
        },
        staged=token,
    )
