"""Cancels and updates over real servers: exactly those who may have been told, and nothing stopped by what is held."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest

from relay.adapter import Class, Kind
from relay.fanout.ids import leg_id
from relay.fanout.plan import Pairs
from relay.fanout.recall import at_their_place
from relay.tracking.states import Flag, Record, State
from tests.contract.engine_side import Engine
from tests.contract.planner_side import World

SENT = Record(state=State.DELIVERED, send=1, ended=1)
SENDING = Record(state=State.SENDING, send=1)
DOUBT = Record(state=State.RETRYING, send=1, flags=Flag.IN_DOUBT, due=9_000_000)


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


async def test_update_supersedes_when_it_is_planned(world: World) -> None:
    """What still waits of the old one stops; all who match now get the new one."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.accept("u", of="a", msg_type="Update")
    before = await world.state("a")
    await world.planner.plan("u")

    assert (before, await world.state("a")) == ("active", "superseded")
    assert await world.told("u") == [0, 1, 2, 3, 4, 5]
    assert (await world.engine.known(leg_id("a", kind=Kind.SMS, round_number=0))).cursor.stopped


@pytest.mark.parametrize(("msg_type", "state"), [("Update", "superseded"), ("Cancel", "cancelled")])
async def test_what_is_over_before_its_turn_is_not_sent(world: World, msg_type: str, state: str) -> None:
    """The word that ends it was accepted, and waits behind it in the queue of plans: nobody is told of the old one."""
    await world.accept("a")
    await world.accept("w", of="a", msg_type=msg_type)
    await world.planner.plan("a")
    ended = await world.state("a")
    await world.planner.plan("w")

    assert (ended, await world.state("a")) == (state, state)
    assert await world.told("a") == []
    assert await world.told("w") == ([0, 1, 2, 3, 4, 5] if msg_type == "Update" else [])
    assert await world.waiting() == []


async def test_cancel_tells_exactly_those_who_may_have_been_told(world: World) -> None:
    """Delivered, being handed over, in doubt: told.  Never begun, or refused for good: not."""
    await world.accept("a")
    await world.planner.plan("a")
    refused = Record(state=State.FAILED, send=1, ended=1)
    await world.send({0: SENT, 1: SENDING, 2: DOUBT, 3: refused}, size=4)
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert await world.state("a") == "cancelled"
    assert await world.told("c") == [0, 1, 2]


@pytest.mark.parametrize("infos", ["", "<language>en</language>"])
async def test_cancel_after_a_total_loss_tells_all_who_may_have_been_told(world: World, infos: str) -> None:
    """Redis lost who was told of the alert: everybody whom it was for may have been, so everybody hears that it is over.

    The journal tells of the Cancel first; until the alert is back the Cancel waits.
    """
    await world.accept("c", of="a", msg_type="Cancel", infos=infos, again="1")
    await world.planner.plan("c")
    waiting = (await world.state("c"), await world.waiting())
    await world.accept("a", again="1")
    await world.planner.plan("c")

    assert waiting == ("accepted", ["c"])
    assert await world.state("a") == "cancelled"
    assert await world.told("a") == []
    assert await world.told("c") == [0, 1, 2, 3, 4, 5]
    assert await world.waiting() == []


async def test_cancel_of_what_never_comes_back_does_not_wait_for_ever(world: World) -> None:
    """An alert that nobody here ever had: after a while the Cancel is done."""
    await world.accept("c", of="a", msg_type="Cancel", infos="", again="1")
    await world.planner.plan("c")
    world.clock.advance(31)
    await world.planner.plan("c")

    assert await world.state("c") == "completed"


async def test_cancel_waits_for_what_is_being_sent(world: World) -> None:
    """A leased range is looked at again until its worker has settled it: nobody is told after, or missed."""
    await world.accept("a")
    await world.planner.plan("a")
    chunk = await world.engine.claim(most=3)
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")
    before = await world.told("c")
    waiting = await world.waiting()
    await world.engine.settle(chunk, {0: SENT, 2: SENT}, alert_id="a", size=6)
    await world.planner.plan("c")
    await world.planner.plan("c")

    assert (before, waiting) == ([], ["c"])
    assert await world.told("c") == [0, 2]
    assert await world.waiting() == []


async def test_cancel_reaches_over_an_update(world: World) -> None:
    """Who was told of the first and not of the update hears of the cancel too; who was told of both, once."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.send({0: SENT, 1: SENT}, size=2)
    await world.accept("u", of="a", msg_type="Update")
    await world.planner.plan("u")
    await world.send({1: SENT, 2: SENT}, size=3)
    await world.accept("c", of="u", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert (await world.state("a"), await world.state("u")) == ("cancelled", "cancelled")
    assert await world.told("c") == [0, 1, 2]


async def test_cancel_of_a_held_update_leaves_the_original_alone(world: World) -> None:
    """An agency updates another's alert (held), then cancels its own update: that stopped the other's alert."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.send({0: SENT}, size=1)
    await world.accept("u", of="a", msg_type="Update", state="held")
    await world.accept("c", of="u", msg_type="Cancel", infos="")
    await world.planner.plan("c")

    assert (await world.state("u"), await world.state("a")) == ("cancelled", "active")
    assert await world.told("c") == []


@pytest.mark.parametrize("order", list(permutations("auc")))
async def test_chain_ends_the_same_in_any_order(world: World, order: Sequence[str]) -> None:
    """An alert, its update and the cancel of that, applied again in any order after a loss: nobody is told anything."""
    words = {"a": ("", "Alert"), "u": ("a", "Update"), "c": ("u", "Cancel")}
    for alert_id in order:
        of, msg_type = words[alert_id]
        klass = Class.P0 if alert_id == "c" else Class.P1
        await world.accept(
            alert_id, of=of, msg_type=msg_type, klass=klass, infos="" if alert_id == "c" else "<language>en</language>"
        )
    while (job := await world.engine.alerts.take_plans(lease_ms=1000))[0]:
        await world.planner.plan(job[0][0])

    assert [await world.state(alert_id) for alert_id in "auc"] == ["cancelled", "cancelled", "completed"]
    assert await world.told("a") + await world.told("u") + await world.told("c") == []


async def test_legs_published_while_the_cancel_looks_are_stopped_too(world: World) -> None:
    """Read before its plan was published, stopped after: its legs went on to the last recipient."""
    await world.accept("a")
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    get, referrers = world.engine.alerts.get, world.engine.alerts.referrers

    async def none_yet(_k1: str) -> list[tuple[str, str]]:
        return []

    async def slow(alert_id: str, *, with_raw: bool = True) -> object:
        found = await get(alert_id, with_raw=with_raw)
        if alert_id == "a":
            world.engine.alerts.get = get  # type: ignore[method-assign]
            world.engine.alerts.referrers = none_yet  # type: ignore[method-assign, assignment]
            await world.another().plan("a")
            world.engine.alerts.referrers = referrers  # type: ignore[method-assign]
        return found

    world.engine.alerts.get = slow  # type: ignore[method-assign, assignment]
    await world.planner.plan("c")

    assert await world.state("a") == "cancelled"
    assert (await world.engine.known(leg_id("a", kind=Kind.SMS, round_number=0))).cursor.stopped


async def test_cancel_waits_for_what_another_server_run_forgot(world: World) -> None:
    """After a crash of Redis the last second of records comes back from the workers: the cancel waits for it."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.engine.claim(most=1)
    await world.engine.redis.call("HSET", world.engine.keys.run, "id", "0123456789abcdef")
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")
    fenced = await world.state("a"), await world.state("c"), await world.waiting()
    await world.engine.try_claim()
    await world.planner.plan("c")

    assert fenced == ("cancelled", "accepted", ["c"])
    assert await world.state("c") == "active"


async def test_nobody_counts_as_two_people(world: World) -> None:
    """A cancel in several passes counts each person once, also one who is told on a second address in a later pass."""
    await world.accept("a")
    await world.planner.plan("a")
    chunk = await world.engine.claim(most=3)
    await world.send({3: SENT}, size=3)
    await world.accept("c", of="a", msg_type="Cancel", infos="")
    await world.planner.plan("c")
    await world.engine.settle(chunk, {0: SENT, 2: SENT}, alert_id="a", size=6)
    await world.planner.plan("c")
    stored = await world.engine.alerts.get("c")
    assert stored is not None

    assert await world.told("c") == [0, 2, 3]
    assert stored.number("recipients") == 3


def test_a_place_has_its_own_words() -> None:
    """Who is in an area of the cancel reads the info for it; who is in none keeps the one in his language."""
    told = Pairs(np.array([1, 2, 5], np.uint32), np.array([0, 1, 0], np.uint8), np.array([0, 0, 1], np.uint16))
    places = Pairs(np.array([2, 1, 5], np.uint32), np.array([1, 0, 7], np.uint8), np.array([2, 3, 4], np.uint16))
    nowhere = Pairs(np.empty(0, np.uint32), np.empty(0, np.uint8), np.empty(0, np.uint16))

    assert at_their_place(told, places).infos.tolist() == [3, 2, 1]
    assert at_their_place(told, nowhere) is told
    assert at_their_place(told, None) is told
    assert at_their_place(nowhere, places) is nowhere


async def test_cancel_with_areas_is_read_by_place(world: World) -> None:
    """Of several infos people read the one for where they are, as they did with the alert."""
    await world.accept("a")
    await world.planner.plan("a")
    await world.send(dict.fromkeys(range(6), SENT))
    await world.accept("c", of="a", msg_type="Cancel", info_count=2)
    world.crowd.infos = [0, 0, 0, 1, 1, 1]
    await world.planner.plan("c")
    stored = await world.engine.alerts.get("c")
    assert stored is not None
    segment = await world.engine.legs.segment(stored.legs[0], 0)
    assert segment is not None

    assert segment.variants.tolist() == [0, 0, 0, 1, 1, 1]


async def test_bare_cancel_is_read_in_the_words_of_the_alert(world: World) -> None:
    """A cancel without infos counts in those of what it cancels; one with its own in the nearest language."""
    await world.accept("a", infos="<language>kk</language>")
    await world.planner.plan("a")
    await world.send({0: SENT}, size=1)
    await world.accept("bare", of="a", msg_type="Cancel", infos="")
    await world.accept("worded", of="a", msg_type="Cancel")
    await world.planner.plan("bare")
    await world.planner.plan("worded")
    found = [await world.engine.alerts.get(alert_id) for alert_id in ("bare", "worded")]
    legs = [await world.engine.known(stored.legs[0]) for stored in found if stored is not None]

    assert [leg.facts.get("variants_of", "") for leg in legs] == ["a", ""]
