"""Accepting: durable before it is answered, once, whatever Redis does between two steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from relay.adapter import Class
from relay.errors import IdentifierConflict, InvalidAlert, InvalidInput, JournalUnavailable
from relay.intake.accept import LARGE
from relay.intake.answer import Post
from relay.store.connection import Connection
from tests.contract.node_side import NodeSide, api_node, rehearsal


@pytest.fixture
async def node(redis: Connection, tmp_path: Path) -> AsyncIterator[NodeSide]:
    async with api_node(redis, tmp_path) as side:
        await side.catch_up()
        yield side


async def test_alert_is_durable_and_known(node: NodeSide) -> None:
    """The answer says what is true: in the journal, and in Redis."""
    answer = await node.post(node.xml("a-1"))

    assert (answer.state, answer.redis, answer.klass, answer.duplicate) == ("accepted", "applied", Class.P1, None)
    assert await node.state(answer.alert_id) == "accepted"
    assert (node.accepted(), node.remember.pending) == (1, 0)


async def test_same_message_is_accepted_once(node: NodeSide) -> None:
    """The same bytes, and the same content in other bytes, are told from each other and planned once."""
    body = node.xml("a-1")
    first = await node.post(body)
    same = await node.post(body)
    spaced = await node.post(body.replace(b"><info>", b">\n\n<info>").replace(b"<scope>", b"  <scope>"))

    assert same.duplicate is not None
    assert spaced.duplicate is not None
    assert (same.duplicate[:2], spaced.duplicate[:2]) == ((first.alert_id, "K0"), (first.alert_id, "K2"))
    assert node.accepted() == 1


async def test_second_post_waits_for_the_first(node: NodeSide) -> None:
    """A client that posts twice at once gets one alert."""
    body = node.xml("a-1")
    async with asyncio.TaskGroup() as tasks:
        posts = [tasks.create_task(node.post(body)) for _ in range(5)]
    answers = [post.result() for post in posts]

    assert sum(answer.duplicate is None for answer in answers) == 1
    assert len({answer.alert_id for answer in answers}) == 1
    assert node.accepted() == 1


async def test_other_content_under_the_same_name_is_a_conflict(node: NodeSide) -> None:
    """What was accepted first stays, and the journal does not see the second."""
    await node.post(node.xml("a-1"))
    with pytest.raises(IdentifierConflict):
        await node.post(node.xml("a-1", headline="Something else"))

    assert node.accepted() == 1


async def test_duplicate_is_known_by_redis_when_the_node_has_forgotten(node: NodeSide) -> None:
    """A node that has lost its disk does not send again what Redis knows."""
    first = await node.post(node.xml("a-1"))
    async with api_node(node.redis, node.folder / "other", clock=node.clock) as fresh:
        await fresh.catch_up()
        again = await fresh.post(node.xml("a-1"))

    assert again.duplicate is not None
    assert again.duplicate[0] == first.alert_id


async def test_rehearsal_does_not_hide_the_real_alert(node: NodeSide) -> None:
    """The same document with a test key first, then live: two alerts."""
    trial = await node.post(node.xml("a-1"), key=rehearsal(node.key))
    real = await node.post(node.xml("a-1"))

    assert real.duplicate is None
    assert trial.alert_id != real.alert_id


async def test_redis_that_hangs_costs_the_budget_and_loses_nothing(node: NodeSide) -> None:
    """Accepting goes on; the next post does not wait at all; both are told when Redis answers."""
    await node.hang(seconds=1.2)
    async with asyncio.timeout(1.0):
        first = await node.post(node.xml("a-1"))
        second = await node.post(node.xml("a-2"))
    await node.catch_up()

    assert (first.redis, second.redis) == ("pending", "pending")
    assert await node.state(first.alert_id) == await node.state(second.alert_id) == "accepted"
    assert node.remember.pending == 0


async def test_error_that_nobody_foresaw_does_not_lose_the_alert(node: NodeSide) -> None:
    """It was in the journal and in the memory: a second post was "known", and nobody told Redis until the restart."""
    wrong = node.services.alerts.keys.first.marks
    await node.redis.call("DEL", wrong)
    await node.redis.call("SET", wrong, "not a hash")
    answer = await node.post(node.xml("a-1"))
    waiting = node.remember.pending
    await node.redis.call("DEL", wrong)
    await node.catch_up()

    assert (answer.redis, waiting) == ("pending", 1)
    assert await node.state(answer.alert_id) == "accepted"


async def test_killed_between_the_journal_and_redis(node: NodeSide) -> None:
    """The next process tells Redis what this one had promised."""
    node.remember.available = False
    answer = await node.post(node.xml("a-1"))
    await node.journal.close()
    async with api_node(node.redis, node.folder, clock=node.clock) as after:
        again = await after.post(node.xml("a-1"))
        await after.catch_up()

        assert again.duplicate is not None
        assert await after.state(answer.alert_id) == "accepted"


async def test_emptied_redis_gets_everything_back(node: NodeSide) -> None:
    """FLUSHALL between two posts: both are there again, the first labelled as a repetition."""
    first = await node.post(node.xml("a-1"))
    await node.redis.call("FLUSHALL")
    second = await node.post(node.xml("a-2"))
    await node.catch_up()
    stored = await node.services.alerts.get(first.alert_id)

    assert stored is not None
    assert (stored["state"], stored["again"]) == ("accepted", "1")
    assert await node.state(second.alert_id) == "accepted"


async def test_full_disk_promises_nothing(node: NodeSide) -> None:
    """No false 202: not in Redis, not in the memory, and the same post is new later."""
    await node.journal.close()
    with pytest.raises(JournalUnavailable):
        await node.post(node.xml("a-1"))

    assert await node.redis.call("ZCARD", node.services.alerts.keys.first.alerts) == 0
    assert len(node.node._disk.memory) == 0


async def test_large_alert_does_not_stop_the_loop(node: NodeSide) -> None:
    """While 4 MiB are parsed others are answered: the loop goes on turning."""
    turns = 0
    done = asyncio.Event()

    async def turn() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0 if turns < 20 else 0.01)

    text = "<parameter><valueName>n</valueName><value>v</value></parameter>" * 1_900
    body = node.xml("a-1").replace(b"<area>", text.encode() + b" " * 8 * LARGE + b"<area>", 1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(turn())
        await asyncio.sleep(0)
        answer = await node.accept._read(Post(body=body, media="xml", content_type="text/xml"), node.key)
        done.set()

    assert len(body) > LARGE
    assert answer[0].alert.identifier == "a-1"
    assert turns > 1


async def test_sender_must_be_the_agencys(node: NodeSide) -> None:
    """A key cannot warn in another's name."""
    with pytest.raises(InvalidInput, match="may post as"):
        await node.post(node.xml("a-1", sender="duty@seismo.example"))

    assert node.accepted() == 0


async def test_broken_alert_is_refused(node: NodeSide) -> None:
    """What is no alert is not journalled."""
    with pytest.raises(InvalidAlert):
        await node.post(b"<alert")

    assert node.accepted() == 0


@pytest.mark.parametrize("available", [True, False])
async def test_cancel_of_an_ambiguous_triple_is_held(node: NodeSide, available: bool) -> None:
    """Two alerts of one minute share a triple; which is meant, a person says, also while Redis is away.

    Away, nobody looked: both were cancelled.
    """
    await node.post(node.xml("a-1"))
    other = await node.post(node.xml("a-1", area="<area><areaDesc>Elsewhere</areaDesc><circle>43,77 9</circle></area>"))
    node.remember.available = available
    cancel = await node.post(node.xml("c-1", msgType="Cancel", references=node.reference("a-1")))

    assert [finding.rule for finding in other.findings if "collision" in finding.rule.lower()]
    assert (cancel.state, cancel.reason) == ("held", "ambiguous_reference")


async def test_cancel_of_flash_is_flash(node: NodeSide) -> None:
    """A correction travels as fast as what it corrects; not knowing, it is taken for the worst."""
    await node.post(node.xml("a-1", severity="Extreme"))
    known = await node.post(node.xml("c-1", msgType="Cancel", references=node.reference("a-1")))
    node.remember.available = False
    unknown = await node.post(
        node.xml("c-2", msgType="Cancel", severity="Minor", references=node.reference("never-seen"))
    )

    assert (known.klass, unknown.klass) == (Class.P0, Class.P0)


async def test_wrong_clock_does_not_silence_what_comes_back(node: NodeSide) -> None:
    """After a loss, with a clock that is hours ahead, alerts were called expired and never sent again."""
    answer = await node.post(node.xml("a-1"))
    await node.redis.call("FLUSHALL")
    node.clock.advance(timedelta(hours=9).total_seconds())
    node.accept.clock_trusted = False
    await node.catch_up()

    assert await node.state(answer.alert_id) == "accepted"


async def test_what_ended_meanwhile_does_not_come_back(node: NodeSide) -> None:
    """With a clock that is right, an alert that is over is remembered and not sent."""
    answer = await node.post(node.xml("a-1"))
    await node.redis.call("FLUSHALL")
    node.clock.advance(timedelta(hours=9).total_seconds())
    await node.catch_up()

    assert await node.state(answer.alert_id) == "expired"


async def test_cancelled_alert_does_not_come_back_when_its_cancel_is_over(node: NodeSide) -> None:
    """The Cancel had ended, its alert had not: after FLUSHALL everybody got the cancelled alert once more."""
    later = node.clock.now() + timedelta(days=2)
    alert = await node.post(node.xml("a-1", expires=later.isoformat(timespec="seconds")))
    cancel = await node.post(node.xml("c-1", msgType="Cancel", references=node.reference("a-1")))
    await node.redis.call("FLUSHALL")
    node.clock.advance(timedelta(hours=40).total_seconds())
    await node.catch_up()

    assert await node.state(cancel.alert_id) == "accepted"
    assert await node.state(alert.alert_id) == "cancelled"


async def test_dry_run_stores_nothing(node: NodeSide) -> None:
    """What would be decided is told, and nobody remembers it."""
    judged = await node.accept.judged(
        Post(body=node.xml("a-1"), media="xml", content_type="application/cap+xml"), key=node.key
    )

    assert (judged.verdict.state, judged.klass, judged.alert.identifier) == ("accepted", Class.P1, "a-1")
    assert node.accepted() == 0
