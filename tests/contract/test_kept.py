"""Alerts wherever they are: what is archived is found, answered, cancelled, and not told again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from relay.errors import StoreUnavailable
from relay.fanout.ids import DeliveryRef
from relay.store.connection import Connection
from relay.store.new_alert import NewAlert
from relay.store.room import Room
from relay.tracking.housekeeping import Housekeeping
from relay.tracking.kept import KeptAlerts
from relay.tracking.states import Record, State
from tests.contract.archive_side import ArchiveSide
from tests.contract.engine_side import Engine, an_alert, wall_ms
from tests.contract.kept_side import World


@pytest.fixture
async def nobody(engine: Engine) -> AsyncIterator[Connection]:
    """A connection to a server that is not there."""
    made = Connection("unix:///nowhere/redis.sock", timeout=0.2)
    yield made
    await made.close()


async def test_archived_alert_is_found(world: World) -> None:
    """By id with its bytes, by state, by triple, by its leg and its records."""
    leg = await world.archived()
    found = await world.alerts.get("alert")

    assert found is not None
    assert (found["state"], found.raw) == ("completed", b"<alert/>")
    assert await world.alerts.state("alert") == "completed"
    assert await world.alerts.by_triples(["k1-alert", "k1-other"]) == {"k1-alert": ("alert",), "k1-other": ()}
    kept = await world.legs.get(leg)
    assert kept is not None
    assert kept.counts[State.DELIVERED] == 3
    segment = await world.legs.segment(leg, 0)
    assert segment is not None
    assert segment.ordinals.tolist() == [0, 1, 2]
    one = await world.legs.records(leg, 0, first=1, last=2)
    assert Record.unpack(one).state is State.DELIVERED


async def test_archive_answers_while_redis_is_away(world: World, nobody: Connection, tmp_path: Path) -> None:
    """What is on this disk needs no Redis; what is not, is not called unknown."""
    await world.archived()
    room = Room(nobody, limit_mb=0, reserve=0.2, clock=world.clock)
    away = KeptAlerts(nobody, world.engine.keys, world.archive, world.recall, [world.way], room)
    found = await away.get("alert")

    assert found is not None
    with pytest.raises(StoreUnavailable):
        await away.get("other")


async def test_lists_go_on_into_the_archive(world: World) -> None:
    """Pages run from Redis into the archive without a gap or a repetition, whatever their length."""
    for number in range(5):
        await world.archived(f"old-{number}", received_ms=wall_ms() - 10_000 + number)
    for number in range(3):
        await world.engine.alerts.accept(an_alert(f"new-{number}", received_ms=wall_ms() + number))
    everything = [f"new-{n}" for n in (2, 1, 0)] + [f"old-{n}" for n in (4, 3, 2, 1, 0)]
    for limit in (1, 2, 3, 8, 9):
        seen: list[str] = []
        cursor = ""
        while True:
            page, cursor = await world.alerts.page(before=cursor, limit=limit)
            seen += [alert["id"] for alert in page]
            assert len(page) <= limit
            if not cursor:
                break

        assert seen == everything


async def test_journal_does_not_bring_it_back(world: World) -> None:
    """After a loss the journal tells of it again: it stays archived, and its Cancel still silences what comes late."""
    await world.archived()
    await world.archived("cancel", msg_type="Cancel", referenced=("k1-late",))
    await world.engine.redis.call("FLUSHALL")
    again = replace(an_alert(), fields={"again": "1"})
    same = await world.alerts.accept(again)
    conflict = await world.alerts.accept(replace(again, k2="other"))
    await world.alerts.accept(told_again("cancel", msg_type="Cancel", referenced=("k1-late",)))
    late = await world.alerts.accept(an_alert("late"))

    assert (same.verdict, same.state, conflict.verdict) == ("same", "completed", "conflict")
    assert late.state == "cancelled"
    assert await world.engine.alerts.get("alert") is None
    assert await world.engine.alerts.get("cancel") is None


def told_again(alert_id: str, **changes: object) -> NewAlert:
    """Return what the journal tells of an alert after a loss."""
    return an_alert(alert_id, fields={"again": "1"}, **changes)


async def test_living_alert_is_a_duplicate(world: World) -> None:
    """A repeated post of an archived alert is known by its content while the alert lives; later by the journal."""
    await world.archived()
    known = await world.alerts.look_up(k0="other bytes", k1="k1-alert", alert_id="alert")
    world.clock.advance(6 * 3600)
    await Housekeeping(world.archive, [], keep_days=0, clock=world.clock).once()
    later = await world.alerts.look_up(k0="other bytes", k1="k1-alert", alert_id="alert")

    assert (known.k2, later.k2) == ("k2-alert", "")


async def test_decision_on_an_archived_alert_is_over(world: World) -> None:
    """A word that the journal repeats changes nothing and leaves nothing in Redis."""
    await world.archived()
    stored = await world.alerts.get("alert")
    assert stored is not None
    state = await world.alerts.decide(
        stored, decision="approve", by="k", reason="", now_ms=wall_ms(), node="node", number=9
    )

    assert state == "completed"
    assert await world.engine.redis.call("HLEN", world.engine.keys.decisions) == 0


async def test_late_word_is_merged(world: World) -> None:
    """An answer to an archived alert is kept beside it, changes counts, and is the same when it comes twice."""
    leg = await world.archived()
    place = await world.writes.leg(DeliveryRef(leg, 1))
    assert place is not None
    answer = Record(state=State.ACKNOWLEDGED, answer=2, due=77)
    taken = [await world.writes.write(place, answer) for _ in range(2)]
    receipt = await world.writes.write(place, Record(state=State.DELIVERED, ended=99))
    records = await world.legs.records(leg, 0, first=0, last=3)
    kept = await world.legs.get(leg)
    lines = next(world.folder.glob("*/*.late")).read_text().splitlines()

    assert (taken, receipt) == ([True, True], True)
    assert Record.unpack(records[24:48]).answer == 2
    assert kept is not None
    assert {s.word: n for s, n in kept.counts.items() if n} == {"delivered": 2, "acknowledged": 1}
    assert len(lines) == 1


async def test_counts_that_a_power_cut_took_back(world: World) -> None:
    """The late words are the truth: counters that do not know of one are made anew at the next start."""
    leg = await world.archived()
    place = await world.writes.leg(DeliveryRef(leg, 0))
    assert place is not None
    before = world.archive.legs([leg])[leg]
    await world.writes.write(place, Record(state=State.ACKNOWLEDGED, answer=1, due=77))
    entry = world.archive._index.get("alert")
    assert entry is not None
    world.archive._index.put(replace(entry, words=0, legs=[replace(entry.legs[0], facts=before.facts)]))
    world.archive.close()
    again = ArchiveSide(world.engine, world.folder)

    assert again.archive.legs([leg])[leg].counts[State.ACKNOWLEDGED] == 1
