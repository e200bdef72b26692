"""What people decide of an alert: once, journalled, and obeyed while Redis is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from relay.errors import InvalidInput, StoreUnavailable
from relay.intake.frames import FrameType
from relay.store.connection import Connection
from tests.contract.node_side import NodeSide, api_node


@pytest.fixture
async def node(redis: Connection, tmp_path: Path) -> AsyncIterator[NodeSide]:
    async with api_node(redis, tmp_path) as side:
        await side.catch_up()
        yield side


async def held(node: NodeSide) -> str:
    answer = await node.post(node.xml("h-1", area=""))
    assert answer.state == "held"
    return answer.alert_id


@pytest.mark.parametrize(("decision", "state"), [("approve", "accepted"), ("reject", "rejected")])
async def test_word_on_a_held_alert(node: NodeSide, decision: str, state: str) -> None:
    """It is journalled, and Redis knows it."""
    alert_id = await held(node)
    after = await node.decisions.approve(alert_id, decision=decision, reason="seen", key=node.key)

    assert (after, await node.state(alert_id)) == (state, state)
    assert [f.type for f in node.journal.records() if f.type == FrameType.APPROVAL] == [FrameType.APPROVAL]


async def test_only_what_is_held_can_be_decided(node: NodeSide) -> None:
    """A second word, and one on an alert nobody knows, are refused and not journalled."""
    alert_id = await held(node)
    await node.decisions.approve(alert_id, decision="approve", reason="", key=node.key)
    for unknown in (alert_id, "nothing"):
        with pytest.raises(InvalidInput, match="only a held one"):
            await node.decisions.approve(unknown, decision="reject", reason="", key=node.key)

    assert sum(f.type == FrameType.APPROVAL for f in node.journal.records()) == 1


async def test_approval_while_redis_hangs(node: NodeSide) -> None:
    """The journal knows that it is held; Redis is told later, and the alert goes out."""
    alert_id = await held(node)
    await node.hang(seconds=1.0)
    after = await node.decisions.approve(alert_id, decision="approve", reason="", key=node.key)
    await node.catch_up()

    assert after == "accepted"
    assert await node.state(alert_id) == "accepted"


async def test_redis_that_goes_away_after_the_word(node: NodeSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was decided: to answer 503 "nothing was decided" would be a lie."""
    alert_id = await held(node)

    async def away(_: str) -> str:
        raise StoreUnavailable("away")

    monkeypatch.setattr(node.services.alerts, "state", away)

    assert await node.decisions.approve(alert_id, decision="reject", reason="", key=node.key) == "rejected"


async def test_cancel_is_an_alert_of_the_relays_own(node: NodeSide) -> None:
    """It names the relay as sender, is called what it cancels, says why, and is accepted."""
    alert = await node.post(node.xml("a-1"))
    done = await node.decisions.cancel(alert.alert_id, reason="dam holds", key=node.key)
    stored = await node.services.alerts.get(done.cancel_id)

    assert stored is not None
    assert (stored["state"], stored["msgType"], stored["sender"]) == ("accepted", "Cancel", "chapar@127.0.0.1")
    cancelled = await node.services.alerts.get(alert.alert_id)
    assert cancelled is not None
    assert stored["headline"] == (cancelled["headline"] or cancelled["event"]) != ""
    assert stored["note"] == "dam holds"
    assert stored["referenced"] == cancelled["k1"]


async def test_cancel_of_what_waits_for_redis(node: NodeSide) -> None:
    """Answered 202 a moment ago and not in Redis yet: an operator who saw a false alarm heard "not found"."""
    await node.hang(seconds=0.6)
    alert = await node.post(node.xml("a-1"))
    assert (await node.services.alerts.get(alert.alert_id), alert.redis) == (None, "pending")
    done = await node.decisions.cancel(alert.alert_id, reason="false alarm", key=node.key)
    await node.catch_up()

    assert done.cancels == alert.alert_id
    assert await node.state(alert.alert_id) in ("cancelled", "accepted")  # accepted until a worker plans the Cancel
    assert await node.state(done.cancel_id) == "accepted"
    assert await node.decisions.find("a" * 26) is None


@pytest.mark.parametrize("away", [False, True])
async def test_cancel_asked_for_twice_is_one(node: NodeSide, away: bool) -> None:
    """Two clicks a second apart were two Cancels, and everybody was told twice."""
    alert = await node.post(node.xml("a-1"))
    if away:
        await node.hang(seconds=2.0)
    first = await node.decisions.cancel(alert.alert_id, reason="", key=node.key)
    node.clock.advance(3)
    second = await node.decisions.cancel(alert.alert_id, reason="", key=node.key)

    assert second.cancel_id == first.cancel_id
    assert node.accepted() == 2


async def test_agencys_own_cancel_is_enough(node: NodeSide) -> None:
    """The operator's click after it makes no second one."""
    alert = await node.post(node.xml("a-1"))
    cancel = await node.post(node.xml("c-1", msgType="Cancel", references=node.reference("a-1")))
    done = await node.decisions.cancel(alert.alert_id, reason="", key=node.key)

    assert done.cancel_id == cancel.alert_id


async def test_what_cannot_be_cancelled(node: NodeSide) -> None:
    """An unknown alert is not found, a Cancel and a rejected alert are no more to be cancelled."""
    alert_id = await held(node)
    await node.decisions.approve(alert_id, decision="reject", reason="", key=node.key)
    cancel = await node.post(node.xml("c-1", msgType="Cancel", references=node.reference("a-1")))
    with pytest.raises(InvalidInput) as unknown:
        await node.decisions.cancel("nothing", reason="", key=node.key)
    for final in (alert_id, cancel.alert_id):
        with pytest.raises(InvalidInput, match="cannot be cancelled"):
            await node.decisions.cancel(final, reason="", key=node.key)

    assert unknown.value.status == 404


async def test_without_redis_only_this_nodes_alerts_are_known(node: NodeSide) -> None:
    """What another node accepted cannot be decided here now, and that is said."""
    alert = await node.post(node.xml("a-1"))
    await node.hang(seconds=1.5)
    found = await node.decisions.find(alert.alert_id)
    with pytest.raises(StoreUnavailable, match="did not accept"):
        await node.decisions.find("nothing")

    assert found is not None
    assert (found["state"], found["identifier"], found.raw) == ("accepted", "a-1", node.xml("a-1"))
