"""Preparing: addresses as they are now, links that answer, and a start only where the channel may."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from relay.adapter import Class, Hole, Kind
from relay.fanout.ids import DeliveryRef
from relay.fanout.prepare import Gate, Prepared
from relay.fanout.step import Step
from relay.settings import Channel
from relay.store.connection import Connection
from relay.tracking import token
from relay.tracking.states import Flag, Record, State
from tests.integration.sender_side import LEG, Node


@pytest.fixture
async def node(redis: Connection, tmp_path: Path) -> Node:
    made = Node(redis, tmp_path, channel=None, kind=Kind.SMS, idempotent=True)
    await made.people(5)
    return made


async def prepared(
    node: Node, *, maybe: frozenset[int] = frozenset(), records: dict[int, Record] | None = None, now: int = 50
) -> Prepared:
    """Prepare all five."""
    facts, segment = await node.contents.facts(LEG), await node.contents.segment(LEG, 0)
    step = records or {p: Record() for p in range(5)}
    return (await node.preparer.prepare([Step(facts, segment, step, maybe, now=now)]))[0]


async def test_item_holds_all_that_an_adapter_needs(node: Node) -> None:
    """Ids, link, name, expiry and class of one delivery; the link stands for exactly this delivery."""
    await node.publish(range(5), klass=Class.P2)
    group = (await prepared(node)).groups[0]
    item = group.items[3]
    ref = DeliveryRef(LEG, 3)
    link = f"https://relay.example/a/{token.make(ref, b'secret')}"

    assert (item.delivery_id, item.address, item.klass, item.send_number) == (str(ref), "+77010000003", Class.P2, 1)
    assert item.values == {
        Hole.DELIVERY_ID: str(ref),
        Hole.RECIPIENT: "rescue-3",
        Hole.NAME: "Squad 3",
        Hole.ACK_URL: link,
        Hole.CAP_URL: f"{link}/cap",
        Hole.TIMESTAMP: datetime.fromtimestamp(int(node.clock.time()), UTC).isoformat(),
    }
    assert item.expires.timestamp() * 1000 == pytest.approx((await node.leg()).cursor.expires, abs=2)
    assert "Mudflow" in item.text
    assert group.records[3] == Record(state=State.SENDING, send=1, channel=1)


def test_longest_link() -> None:
    """A token has at most 31 characters for up to 33 million recipients: that is what messages are cut for."""
    longest = max(len(token.make(DeliveryRef(LEG, rank), b"secret")) for rank in (0, 999_999, 33_554_431))

    assert longest == 31


async def test_perhaps_sent_is_labelled(node: Node) -> None:
    """What a dead worker may have handed over is labelled, and only that."""
    await node.publish(range(5))
    records = (await prepared(node, maybe=frozenset({1, 2}))).groups[0].records

    assert [bool(r.flags & Flag.POSSIBLE_DUPLICATE) for r in records.values()] == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("gate", "starts"),
    [
        (Gate(), True),
        (Gate(stopped=True), False),
        (Gate(paused=frozenset({"first"})), False),
        (Gate(paused=frozenset({"x"})), True),
    ],
)
async def test_switches_hold_back(node: Node, gate: Gate, starts: bool) -> None:
    """A stopped relay and a paused channel start nothing, at no cost; another channel's pause does not matter."""
    await node.publish(range(5))
    node.preparer.gate = gate
    found = await prepared(node)

    assert bool(found.groups) is starts
    assert found.not_now == (set() if starts else set(range(5)))
    assert found.settled == {}


async def test_ends_have_their_time(node: Node) -> None:
    """What is settled without a hand-over keeps its numbers and gets the time."""
    await node.publish(range(5))
    await node.directory.opt_out(2, 0)
    found = await prepared(node, records={2: Record(state=State.RETRYING, send=3, attempt=2, due=5)}, now=70)

    assert found.groups == []
    assert [(r.state, r.send, r.attempt, r.ended, r.due) for r in found.settled.values()] == [
        (State.SUPPRESSED, 3, 2, 70, 0)
    ]


async def test_order_of_channels_is_the_operators(redis: Connection, tmp_path: Path) -> None:
    """Recipients of one step go to different channels by their address."""
    channel = Channel(adapter="console", match=("+77010000001",), settings={"kind": "sms"})
    node = Node(redis, tmp_path, channel=channel, kind=Kind.SMS, idempotent=True)
    await node.people(3)
    await node.publish(range(3))
    facts, segment = await node.contents.facts(LEG), await node.contents.segment(LEG, 0)
    (found,) = await node.preparer.prepare([Step(facts, segment, {p: Record() for p in range(3)}, frozenset(), now=1)])

    assert [list(g.items) for g in found.groups] == [[1]]
    assert {p: r.state for p, r in found.settled.items()} == {0: State.DEAD_LETTER, 2: State.DEAD_LETTER}


async def test_name_is_safe_in_a_webhook(redis: Connection, tmp_path: Path) -> None:
    """A name with quotes does not break out of the JSON document."""
    node = Node(redis, tmp_path, channel=None, kind=Kind.WEBHOOK, idempotent=True)
    name = 'Squad "7"\\'
    address = {"kind": "webhook", "value": "https://hook.rescue.example/", "secret": "whsec_x"}
    row = {"id": "a", "name": name, "addresses": [{"kind": "sms", "value": "+77010000001"}, address]}
    await node.directory.write({0: orjson.dumps(row)})
    await node.publish([0])
    facts, segment = await node.contents.facts(LEG), await node.contents.segment(LEG, 0)
    (found,) = await node.preparer.prepare([Step(facts, segment, {0: Record()}, frozenset(), now=1)])
    item = found.groups[0].items[0]

    assert item.secret == "whsec_x"
    assert orjson.loads(item.body)


@pytest.mark.parametrize(("index", "seconds"), [(1, 3600.0), (9, 3600.0)])
async def test_deadline_by_number(node: Node, index: int, seconds: float) -> None:
    """A channel is found by the number that records hold; an unknown one gets an hour."""
    assert node.preparer.receipt_deadline(index) == seconds


async def test_kind_is_idempotent_if_all_its_channels_are(node: Node) -> None:
    """One channel that cannot drop copies makes the whole kind careful."""
    assert node.preparer.idempotent(Kind.SMS)
    assert node.preparer.idempotent(Kind.EMAIL)
