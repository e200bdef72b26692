"""Every kind of journal record told to a real server: once in effect, however often, in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from relay.adapter import Class, Kind
from relay.fanout.ids import DeliveryRef, leg_id
from relay.intake.apply import Applier
from relay.intake.records import (
    AckRecord,
    ApprovalRecord,
    CancelRecord,
    ControlRecord,
    DirectoryRecord,
    KeyRecord,
    Record,
)
from relay.intake.remember import NotYet
from relay.store.connection import Connection
from relay.store.memories import ANY_MEMORY
from relay.tracking.states import State
from tests.contract.engine_side import Engine, an_alert
from tests.contract.node_side import NodeSide, api_node


@pytest.fixture
async def node(redis: Connection, tmp_path: Path) -> AsyncIterator[NodeSide]:
    async with api_node(redis, tmp_path) as side:
        await side.catch_up()
        directory = side.node.parts["directory"]
        await directory.recover()  # type: ignore[attr-defined]
        yield side


def applier(node: NodeSide) -> Applier:
    found = node.remember._apply.__self__  # type: ignore[attr-defined]
    assert isinstance(found, Applier)
    return found


async def tell(node: NodeSide, record: Record, *, again: bool = False) -> None:
    await applier(node).apply(record, 1, ANY_MEMORY if again else None)


def an_approval(node: NodeSide, alert_id: str, decision: str = "approve") -> ApprovalRecord:
    return ApprovalRecord(alert_id=alert_id, decision=decision, reason="seen", by="k", at=node.clock.now())


async def test_alert_and_approval_commute(node: NodeSide) -> None:
    """A person's word that comes first waits for its alert."""
    body = node.xml("a-1", area="")
    held = await node.post(body)
    await node.redis.call("FLUSHALL")
    await tell(node, an_approval(node, held.alert_id))
    await node.catch_up()
    stored = await node.services.alerts.get(held.alert_id)

    assert held.state == "held"
    assert stored is not None
    assert (stored["state"], stored["reason"]) == ("accepted", "no_usable_area")


async def test_switches(node: NodeSide) -> None:
    """Stop and pause are set with who and why, resume clears its own."""

    def control(op: str, channel: str = "") -> ControlRecord:
        return ControlRecord(op=op, channel=channel, reason="storm", by="k", at=node.clock.now())

    for record in (control("stop"), control("pause", "sms"), control("pause", "email"), control("resume", "email")):
        await tell(node, record)
    found = await node.services.switches.read()
    await tell(node, control("resume"))

    assert sorted(found) == ["pause:sms", "stop"]
    assert orjson.loads(found["stop"])["reason"] == "storm"
    assert sorted(await node.services.switches.read()) == ["pause:sms"]


async def test_key(node: NodeSide) -> None:
    """A key is shared, without its credential."""
    await tell(node, KeyRecord(entry={"key_id": "k1", "hash": "x"}, at=node.clock.now()))

    assert orjson.loads((await node.services.switches.keys())["k1"]) == {"key_id": "k1", "hash": "x"}


async def test_edits_of_the_directory(node: NodeSide) -> None:
    """Put, put again, take out, take out again: the ordinal stays."""
    row = {"id": "r1", "addresses": [{"kind": "sms", "value": "+77010000001"}]}

    def edit(op: str, **json: object) -> DirectoryRecord:
        return DirectoryRecord(op=op, id="r1", json=json, at=node.clock.now())

    store = node.services.directory_store
    await tell(node, edit("put", **row))
    first = await store.ordinal("r1")
    await tell(node, edit("put", **row))
    await tell(node, edit("opt_out", slot=0))
    masks = await store.denied([0])
    same = await store.ordinal("r1")
    await tell(node, edit("delete"))
    await tell(node, edit("delete"))
    await tell(node, edit("opt_out", slot=0))
    await tell(node, edit("nonsense"))

    assert (first, same, masks) == (0, 0, [1])
    assert await store.ordinal("r1") is None


async def test_answer(node: NodeSide) -> None:
    """An answer settles its delivery; one whose leg is not back waits after a loss, and is dropped otherwise."""
    engine = Engine(node.redis, node.services.alerts.keys.first)
    ref = DeliveryRef(leg_id("alert", kind=Kind.SMS, round_number=0), 1)
    answer = AckRecord(delivery_id=str(ref), answer="2", at=node.clock.now(), via="link")
    await tell(node, answer)
    with pytest.raises(NotYet):
        await tell(node, answer, again=True)
    leg = await engine.leg([3])
    await tell(node, answer, again=True)
    await tell(node, answer)

    assert await engine.counts(leg) == {State.ACKNOWLEDGED: 1, State.QUEUED: 2}


@pytest.mark.parametrize("delivery", ["", "nonsense", "a-b-c"])
async def test_answer_to_nothing_is_dropped(node: NodeSide, delivery: str) -> None:
    """What is no delivery id waits for nobody."""
    await tell(node, AckRecord(delivery_id=delivery, answer="1", at=node.clock.now(), via="link"), again=True)


async def test_record_of_another_time_is_harmless(node: NodeSide) -> None:
    """A kind that nobody writes any more changes nothing."""
    await tell(node, CancelRecord(alert_id="a", cancel_id="c", reason="", by="k", agency="m", at=node.clock.now()))

    assert await node.redis.call("ZCARD", node.services.alerts.keys.first.alerts) == 0


async def test_alert_of_another_class_keeps_it(node: NodeSide) -> None:
    """A record is applied as it was decided then, not judged again."""
    answer = await node.post(node.xml("a-1", severity="Extreme"))
    await node.redis.call("FLUSHALL")
    await node.catch_up()
    stored = await node.services.alerts.get(answer.alert_id)

    assert stored is not None
    assert stored.klass is Class.P1
    assert an_alert().klass is Class.P1
