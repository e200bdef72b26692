"""Decisions of people on alerts: approve, reject, cancel."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from relay.cap.model import Alert, Reference
from relay.cap.times import cap_time
from relay.cap.xml_out import to_xml
from relay.clock import Clock
from relay.errors import InvalidInput, StoreUnavailable
from relay.intake.accept import Accept
from relay.intake.answer import Answer, Post
from relay.intake.authority import Key, Mode, Role
from relay.intake.frames import FrameType
from relay.intake.journal import Journal
from relay.intake.ledger import Ledger
from relay.intake.records import AcceptRecord, ApprovalRecord, decode_as
from relay.intake.stored import reparse
from relay.store.alerts import Alerts, StoredAlert

#: How long Redis may take to say what it knows of an alert, in seconds.
_BUDGET = 0.5
#: How many of this node's own Cancels are remembered, for those who ask twice while Redis is away.
_KEPT = 1000
_FINAL = frozenset({"cancelled", "superseded", "rejected"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The relay's own Cancel and the alert it cancels."""

    cancel_id: str
    cancels: str
    answer: Answer | None = None


class Decisions:
    """What operators, approvers and agencies decide about an alert that was accepted."""

    def __init__(
        self, ledger: Ledger, accept: Accept, alerts: Alerts, journal: Journal, *, sender: str, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._accept = accept
        self._alerts = alerts
        self._journal = journal
        self._sender = sender
        self._clock = clock
        self._cancels: OrderedDict[str, str] = OrderedDict()

    async def find(self, alert_id: str) -> StoredAlert | None:
        """Return an alert as Redis holds it; else, while it may wait for Redis, as this node's journal has it.

        None: nobody knows it.

        Raises:
            StoreUnavailable: Redis is away and this node did not accept the alert.
        """
        try:
            async with asyncio.timeout(_BUDGET):
                found = await self._alerts.get(alert_id)
            if found is not None or not self._ledger.waiting:
                return found
            # Accepted a moment ago, and answered 202: whoever cancels a false alarm now must not hear "not found".
            return await asyncio.to_thread(self._journalled, alert_id)
        except (StoreUnavailable, TimeoutError) as error:
            own = await asyncio.to_thread(self._journalled, alert_id)
            if own is None:
                raise StoreUnavailable("Redis is away, and this node did not accept the alert") from error
            return own

    async def approve(self, alert_id: str, *, decision: str, reason: str, key: Key) -> str:
        """Decide about a held alert: ``approve`` or ``reject``; returns its state afterwards.

        Raises:
            InvalidInput: 409 ``not-held``.
            JournalUnavailable, StoreUnavailable: nothing was decided.
        """
        found = await self.find(alert_id)
        state = found["state"] if found is not None else ""
        if state != "held":
            known = state or "not known"
            raise InvalidInput("not-held", f"the alert is {known}; only a held one can be decided", status=409)
        record = ApprovalRecord(
            alert_id=alert_id, decision=decision, reason=reason, by=key.key_id, at=self._clock.now()
        )
        decided = "accepted" if decision == "approve" else "rejected"
        if not await self._ledger.write(record):
            return decided
        try:
            return await self._alerts.state(alert_id)
        except StoreUnavailable:
            return decided  # it is: only what became of it since then is not known

    async def cancel(self, alert_id: str, *, reason: str, key: Key) -> Cancelled:
        """Cancel an alert in one action: those who were told, or may have been, are told that it no longer holds.

        Raises:
            InvalidInput: 404 ``not-found``; 409 ``not-cancellable``.
            JournalUnavailable, StoreUnavailable: nothing was cancelled.
        """
        stored = await self.find(alert_id)
        if stored is None:
            raise InvalidInput("not-found", "there is no such alert", status=404)
        if earlier := await self._earlier(stored):
            return Cancelled(cancel_id=earlier, cancels=alert_id)
        if stored["state"] in _FINAL or stored["msgType"] == "Cancel":
            raise InvalidInput("not-cancellable", f"an alert that is {stored['state']} cannot be cancelled", status=409)
        old = reparse(stored.raw, media=stored["media"], charset=stored["charset"], limits=self._accept.limits)
        cancel = self._cancel_of(old, alert_id, reason)
        body = to_xml(cancel)
        own = Key(
            key_id=key.key_id,
            name=stored["agency"],
            role=Role.ADMIN,
            senders=("*",),
            mode=Mode.TEST if stored["mode"] == "test" else Mode.LIVE,
            created=key.created,
            updated=key.updated,
        )
        answer = await self._accept.post(Post(body=body, media="xml", content_type="application/cap+xml"), key=own)
        self._cancels[alert_id] = answer.alert_id
        while len(self._cancels) > _KEPT:
            self._cancels.popitem(last=False)
        return Cancelled(cancel_id=answer.alert_id, cancels=alert_id, answer=answer)

    async def _earlier(self, stored: StoredAlert) -> str:
        """Return the Cancel that is in force already, if any: asked for twice, people must not be told twice."""
        if stored["state"] == "cancelled" and stored["cancelled_by"]:
            return stored["cancelled_by"]
        if known := self._cancels.get(stored["id"]):
            return known
        try:
            async with asyncio.timeout(_BUDGET):
                referrers = await self._alerts.referrers(stored["k1"]) if stored["k1"] else []
        except (StoreUnavailable, TimeoutError):
            return ""
        return next((alert_id for kind, alert_id in referrers if kind == "Cancel"), "")

    def _journalled(self, alert_id: str) -> StoredAlert | None:
        for frame in self._journal.records():
            if frame.type != FrameType.ACCEPT:
                continue
            record = decode_as(frame, AcceptRecord)
            if record.alert_id == alert_id:
                stored = self._accept.new_alert(record, frame.seq)
                facts = {**stored.fields, "id": alert_id, "state": record.state, "msgType": stored.msg_type}
                return StoredAlert(facts, record.raw)
        return None

    def _cancel_of(self, old: Alert, alert_id: str, reason: str) -> Alert:
        now = self._clock.now().replace(microsecond=0)
        return Alert(
            identifier=f"cancel-{alert_id}-{int(now.timestamp())}",
            sender=self._sender,
            sent=cap_time(now),
            status=old.status,
            msg_type="Cancel",
            scope=old.scope,
            restriction=old.restriction,
            addresses=old.addresses,
            note=reason,
            references=(Reference(old.sender, old.identifier, old.sent),),
        )
