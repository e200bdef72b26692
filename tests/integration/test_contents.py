"""Contents: what a leg's recipients read, rendered once, from the agency's own bytes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relay.adapter import Class, Kind
from relay.cap.limits import Limits
from relay.errors import InvalidAlert
from relay.fanout.contents import Vanished, read_alert
from relay.fanout.plan import PlannedLeg
from relay.fanout.publisher import Published, Small
from relay.store.alerts import StoredAlert
from relay.store.connection import Connection
from relay.store.cursor import AGAIN
from tests.integration.sender_side import ALERT_ID, LEG, Node


@pytest.fixture
def node(redis: Connection, tmp_path: Path) -> Node:
    return Node(redis, tmp_path, channel=None, kind=Kind.SMS, idempotent=True)


async def test_facts_of_a_leg(node: Node) -> None:
    """A leg's facts come from its cursor and from the alert that was accepted."""
    await node.publish(range(5), klass=Class.P2, flags=AGAIN)
    facts = await node.contents.facts(LEG)
    cursor = (await node.leg()).cursor

    assert (facts.alert_id, facts.kind, facts.klass, facts.sizes) == (ALERT_ID, Kind.SMS, Class.P2, (5,))
    assert (facts.start_ms, facts.expires_ms) == (cursor.start, cursor.expires)
    assert (facts.drill, facts.simulated, facts.again) == (False, False, True)
    assert facts.infos == facts.alert.info


@pytest.mark.parametrize(
    ("klass", "mode", "drill", "simulated"), [(Class.PX, "live", True, False), (Class.P1, "test", False, True)]
)
async def test_drills_and_test_keys(node: Node, klass: Class, mode: str, drill: bool, simulated: bool) -> None:
    """A drill is one by its class, a simulation by its key."""
    await node.publish(range(1), klass=klass, mode=mode)
    facts = await node.contents.facts(LEG)

    assert (facts.drill, facts.simulated) == (drill, simulated)


async def test_facts_and_segments_are_read_once(node: Node) -> None:
    """A leg of many chunks is parsed once; after a loss it is read again."""
    await node.publish(range(5))
    facts, segment = await node.contents.facts(LEG), await node.contents.segment(LEG, 0)
    same = await node.contents.facts(LEG) is facts and await node.contents.segment(LEG, 0) is segment
    node.contents.forget()

    assert same
    assert await node.contents.facts(LEG) is not facts
    assert await node.contents.segment(LEG, 0) is not segment


async def test_variant_is_rendered_once(node: Node) -> None:
    """All recipients of a variant share one rendering; a channel that can be answered has its own."""
    await node.publish(range(5))
    facts = await node.contents.facts(LEG)
    content = node.contents.content(facts, 0, two_way=False)

    assert node.contents.content(facts, 0, two_way=False) is content
    assert node.contents.content(facts, 0, two_way=True) is not content
    assert content.cap == facts.raw
    assert "Mudflow" in "".join(map(str, content.text.parts))


async def test_variant_without_an_info_is_rendered(node: Node) -> None:
    """A bare Cancel has no info; its notice is rendered all the same."""
    await node.publish(range(5))
    facts = replace(await node.contents.facts(LEG), infos=(), contents={})

    assert node.contents.content(facts, 0, two_way=False).text.parts


async def test_what_is_gone_says_so(node: Node) -> None:
    """A leg, an alert or a segment that vanished ends the chunk, not the worker."""
    await node.publish(range(5))
    with pytest.raises(Vanished):
        await node.contents.facts("another")
    with pytest.raises(Vanished):
        await node.contents.segment(LEG, 1)
    await node.redis.call("DEL", node.alerts.keys.first.alert(ALERT_ID))
    with pytest.raises(Vanished):
        await node.contents.facts(LEG)


def test_damaged_bytes_are_refused() -> None:
    """Stored bytes that cannot be read any more are an error with a name."""
    with pytest.raises(InvalidAlert):
        read_alert(StoredAlert({"media": "xml"}, b"<alert"), Limits())
    with pytest.raises(InvalidAlert):
        read_alert(StoredAlert({"media": "json"}, b"{"), Limits())


async def test_what_is_planned_here_is_not_read_again(node: Node) -> None:
    """The planner's own words are what Redis would say; when all is sent they are forgotten."""
    await node.publish(range(5), klass=Class.P3)
    stored, leg = await node.alerts.get(ALERT_ID), await node.leg()
    segment = await node.legs.segment(LEG, 0)
    read = await node.contents.facts(LEG)
    node.contents.forget()
    assert stored is not None
    assert segment is not None
    planned = PlannedLeg(
        leg_id=LEG,
        kind=Kind.SMS,
        round_number=0,
        klass=Class.P3,
        expires=datetime.fromtimestamp(leg.cursor.expires / 1000, UTC),
        variants_of=ALERT_ID,
        segments=(segment,),
    )
    small = Small(stored, read.alert, [planned], 5)
    node.contents.remember(Published(small, planned, leg.cursor))
    await node.redis.call("DEL", node.alerts.keys.first.alert(ALERT_ID))
    remembered = await node.contents.facts(LEG)
    same = await node.contents.segment(LEG, 0) is segment
    node.contents.sent(LEG)

    assert (remembered, same) == (read, True)
    with pytest.raises(Vanished):
        await node.contents.facts(LEG)


async def test_several_legs_are_read_at_once(node: Node) -> None:
    """What is fetched is what would have been read one by one; what is not there is left out."""
    await node.publish(range(5), klass=Class.P3)
    chunk = await node.claim()
    read = await node.contents.facts(LEG)
    node.contents.forget()
    await node.contents.fetch([chunk, replace(chunk, leg_id="aaaaaaaaaaaaa")])
    await node.redis.call("DEL", node.alerts.keys.first.alert(ALERT_ID))

    assert await node.contents.facts(LEG) == read
    assert len(await node.contents.segment(LEG, 0)) == 5
