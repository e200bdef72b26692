"""Apply: what each kind of journal record means to Redis; harmless to repeat, in any order."""

from __future__ import annotations

from dataclasses import replace

import orjson

from relay.directory.service import Directory
from relay.fanout.ids import DeliveryRef
from relay.intake.accept import Accept
from relay.intake.controls import switch_of
from relay.intake.records import (
    AcceptRecord,
    AckRecord,
    ApprovalRecord,
    ControlRecord,
    DirectoryRecord,
    KeyRecord,
    Record,
)
from relay.intake.remember import NotYet
from relay.store.alerts import Alerts, StoredAlert
from relay.store.memories import Memory
from relay.store.switches import Switches
from relay.tracking.receipts import Receipts


class Applier:
    """Tells Redis of one record."""

    def __init__(
        self, alerts: Alerts, switches: Switches, directory: Directory, receipts: Receipts, *, node: str
    ) -> None:
        self._alerts = alerts
        self._switches = switches
        self._directory = directory
        self._receipts = receipts
        self._node = node
        self.accept: Accept | None = None  # set by the composition root: the two know each other

    async def apply(self, record: Record, number: int, again: Memory | None) -> None:
        """Apply ``record``; ``again``: it had been applied before a loss, and this memory is told once more.

        Raises:
            StoreUnavailable: Redis is away, or lost something meanwhile; apply it later.
            NotYet: its counterpart is not back; apply it later, and others meanwhile.
        """
        match record:
            case AcceptRecord() if self.accept is not None:
                new = self.accept.new_alert(record, number, again=again is not None)
                await self._alerts.accept(replace(new, memory=again) if again is not None else new)
            case ApprovalRecord():
                await self._decide(record, number)
            case ControlRecord():
                await self._control(record)
            case KeyRecord():
                await self._switches.put_keys({record.entry["key_id"]: orjson.dumps(record.entry)})
            case DirectoryRecord():
                await self._directory.apply(record)
            case AckRecord():
                await self._acknowledge(record, again=again is not None)
            case _:
                return

    async def _decide(self, record: ApprovalRecord, number: int) -> None:
        stored = await self._alerts.get(record.alert_id, with_raw=False)
        await self._alerts.decide(
            stored or StoredAlert({"id": record.alert_id}),
            decision=record.decision,
            by=record.by,
            reason=record.reason,
            now_ms=int(record.at.timestamp() * 1000),
            node=self._node,
            number=number,
        )

    async def _control(self, record: ControlRecord) -> None:
        name = switch_of(record)
        if record.op == "resume":
            await self._switches.clear(name)
        else:
            text = orjson.dumps({"by": record.by, "reason": record.reason, "at": record.at}).decode()
            await self._switches.set(name, text)

    async def _acknowledge(self, record: AckRecord, *, again: bool) -> None:
        ref = DeliveryRef.parse(record.delivery_id)
        if ref is None or await self._receipts.acknowledge(ref, int(record.answer)):
            return
        if again:
            # Its leg comes back with its alert; until then the answer waits.
            raise NotYet("the leg of an acknowledgement is not back yet")
