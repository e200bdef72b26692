"""Accepting and deciding: once, and in whatever order the words arrive."""

from dataclasses import replace
from itertools import permutations

import pytest

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.store.alerts import StoredAlert
from relay.store.memories import Memories, Memory
from relay.store.packing import pack
from relay.store.plan_jobs import PLAN_LANE, Taken, plan_score
from tests.contract.engine_side import Engine, an_alert, wall_ms


async def planned(engine: Engine) -> list[str]:
    """Return the plan jobs in the order in which they are taken."""
    return [i.decode() for i in await engine.redis.call("ZRANGE", engine.keys.plan, 0, -1)]


async def stored(engine: Engine, alert_id: str = "alert") -> StoredAlert:
    found = await engine.alerts.get(alert_id)
    assert found is not None
    return found


async def decide(engine: Engine, decision: str, alert_id: str = "alert") -> str:
    """Let a person decide, as intake does it: with what is known of the alert, or its id alone."""
    known = await engine.alerts.get(alert_id) or StoredAlert({"id": alert_id})
    return await engine.alerts.decide(
        known, decision=decision, by="duty officer", reason="checked", now_ms=wall_ms(), node="node", number=2
    )


async def test_alert_is_remembered(engine: Engine) -> None:
    """What intake gave comes back, bytes and all, and a plan job waits."""
    new = an_alert(raw=b"<alert>\xd0\x96</alert>", fields={"headline": "Сель", "mode": "live"})
    answer = await engine.alerts.accept(new)
    found = await stored(engine)

    assert (answer.verdict, answer.state, answer.others) == ("new", "accepted", ())
    assert (found.raw, found["headline"], found["state"], found.klass) == (new.raw, "Сель", "accepted", Class.P1)
    assert (found.number("received"), found.number("expires")) == (new.received_ms, new.expires_ms)
    assert await planned(engine) == ["alert"]
    assert await engine.redis.call("LLEN", engine.keys.bell(PLAN_LANE)) == 1


async def test_accepting_twice_changes_nothing(engine: Engine) -> None:
    """A repeated post, and a record applied again after a restart, answer "same" and plan nothing twice."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.take_plans(lease_ms=1000)
    again = await engine.alerts.accept(an_alert())

    assert (again.verdict, again.state) == ("same", "accepted")
    assert await planned(engine) == []
    assert await engine.redis.call("ZCARD", engine.keys.alerts) == 1


async def test_repeated_post_with_other_bytes_is_known_by_them(engine: Engine) -> None:
    """The same content in other bytes is the same alert, and the new bytes are known from then on."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.accept(an_alert(k0="other bytes"))
    known = await engine.alerts.look_up(k0="other bytes", k1="k1-alert", alert_id="alert")

    assert (known.by_bytes, known.by_triple, known.k2) == ("alert", ("alert",), "k2-alert")


async def test_other_content_is_a_conflict(engine: Engine) -> None:
    """The same alert id with other content changes nothing."""
    await engine.alerts.accept(an_alert())
    answer = await engine.alerts.accept(an_alert(k2="other", raw=b"other"))

    assert answer.verdict == "conflict"
    assert (await stored(engine)).raw == b"<alert/>"


async def test_same_triple_is_told(engine: Engine) -> None:
    """Two alerts may share a triple; the second is told of the first."""
    await engine.alerts.accept(an_alert("one", k1="triple"))
    answer = await engine.alerts.accept(an_alert("two", k1="triple"))

    assert (answer.verdict, answer.others) == ("new", ("one",))
    assert await engine.alerts.by_triples(["triple", "none"]) == {"triple": ("one", "two"), "none": ()}


async def test_mark_only_rises(engine: Engine) -> None:
    """The mark is the highest journal number that was applied, whatever order they come in."""
    for number in (5, 9, 7):
        await engine.alerts.accept(an_alert(f"alert {number}", number=number))
    highest = await engine.redis.call("HGET", engine.keys.marks, "node")
    await engine.alerts.accept(an_alert("alert 5", number=11))

    assert highest == b"9"
    assert await engine.redis.call("HGET", engine.keys.marks, "node") == b"11"


async def test_memory_has_a_name(engine: Engine) -> None:
    """A node knows its memory again by the name it gave it, and the server run; the name goes with the memory."""
    memories = Memories(engine.redis, engine.keys)
    before = (await memories.read("node"))[0]
    await memories.name("node", 0, "first")
    named = (await memories.read("node"))[0]
    await engine.redis.call("FLUSHALL")
    lost = (await memories.read("node"))[0]

    assert [m.name for m in (before, named, lost)] == ["", "first", ""]
    assert before.run == named.run == lost.run != ""


@pytest.mark.parametrize("state", ["accepted", "held"])
async def test_cancel_before_its_alert(engine: Engine, state: str) -> None:
    """A late original of a cancelled alert is stored, not sent; one that waits for a person's word neither."""
    await engine.alerts.accept(an_alert("cancel", msg_type="Cancel", referenced=("k1-alert",)))
    answer = await engine.alerts.accept(an_alert(state=state))

    assert answer.state == "cancelled"
    assert (await stored(engine))["cancelled_by"] == "cancel"
    assert await planned(engine) == ["cancel"]
    assert await decide(engine, "approve") == "cancelled"


async def test_update_before_its_alert(engine: Engine) -> None:
    """A late original of an updated alert is superseded."""
    await engine.alerts.accept(an_alert("update", msg_type="Update", referenced=("k1-alert",)))
    answer = await engine.alerts.accept(an_alert())

    assert answer.state == "superseded"
    assert (await stored(engine))["superseded_by"] == "update"
    assert await planned(engine) == ["update"]


async def test_cancel_is_stronger_than_update(engine: Engine) -> None:
    """Both came before: it is cancelled."""
    await engine.alerts.accept(an_alert("update", msg_type="Update", referenced=("k1-alert",)))
    await engine.alerts.accept(an_alert("cancel", msg_type="Cancel", referenced=("k1-alert",)))
    answer = await engine.alerts.accept(an_alert())

    assert answer.state == "cancelled"


async def test_late_chain_is_not_sent(engine: Engine) -> None:
    """Newest first: the cancel, the update it names, then the original that only the update names: nothing is sent."""
    await engine.alerts.accept(an_alert("cancel", msg_type="Cancel", referenced=("k1-update",)))
    update = await engine.alerts.accept(an_alert("update", msg_type="Update", referenced=("k1-alert",)))
    answer = await engine.alerts.accept(an_alert())

    assert update.state == "cancelled"
    assert (answer.state, (await stored(engine))["cancelled_by"]) == ("cancelled", "cancel")
    assert await planned(engine) == ["cancel"]


async def test_held_update_supersedes_nothing(engine: Engine) -> None:
    """An Update that waits for a person's word does not silence the warning before it, and does once approved."""
    update = an_alert("update", msg_type="Update", state="held", referenced=("k1-alert",))
    update_fields = {"referenced": "k1-alert"}
    await engine.alerts.accept(an_alert("update", **{**_changes(update), "fields": update_fields}))
    early = await engine.alerts.accept(an_alert("alert"))
    await decide(engine, "approve", "update")
    late = await engine.alerts.accept(an_alert("late", k1="k1-alert"))

    assert (early.state, late.state) == ("accepted", "superseded")


def _changes(alert: object) -> dict[str, object]:
    names = ("msg_type", "state", "referenced")
    return {name: getattr(alert, name) for name in names}


async def test_approval_after_the_alert(engine: Engine) -> None:
    """A held alert is planned when a person says so, and remembers who."""
    await engine.alerts.accept(an_alert(state="held"))
    before = await planned(engine)
    state = await decide(engine, "approve")
    found = await stored(engine)

    assert before == []
    assert state == found["state"] == "accepted"
    assert (found["decided_by"], found["decision_reason"]) == ("duty officer", "checked")
    assert await planned(engine) == ["alert"]
    assert await engine.redis.call("ZSCORE", engine.keys.plan, "alert") == plan_score(
        Class.P1, found.number("received")
    )


async def test_rejection_after_the_alert(engine: Engine) -> None:
    """A rejected alert is never planned, and a second word does not change the first."""
    await engine.alerts.accept(an_alert(state="held"))

    assert await decide(engine, "reject") == "rejected"
    assert await decide(engine, "approve") == "rejected"
    assert await planned(engine) == []


@pytest.mark.parametrize(("decision", "state"), [("approve", "accepted"), ("reject", "rejected")])
async def test_decision_before_the_alert(engine: Engine, decision: str, state: str) -> None:
    """While the journal is applied again a decision may come before its alert: it is remembered."""
    first = await decide(engine, decision)
    answer = await engine.alerts.accept(an_alert(state="held"))

    assert (first, answer.state) == ("unknown", state)
    assert await planned(engine) == (["alert"] if decision == "approve" else [])


async def test_decision_on_what_is_not_held(engine: Engine) -> None:
    """Approving what was accepted anyway changes nothing and plans nothing twice."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.take_plans(lease_ms=1000)

    assert await decide(engine, "approve") == "accepted"
    assert await planned(engine) == []


@pytest.mark.parametrize("order", list(permutations(["alert", "approval", "cancel"])), ids="-".join)
async def test_words_commute(engine: Engine, order: tuple[str, ...]) -> None:
    """A held alert, its approval and its cancel in any order: it ends cancelled, and nothing of it is sent."""
    for word in order:
        if word == "alert":
            await engine.alerts.accept(an_alert(state="held"))
        elif word == "approval":
            await decide(engine, "approve")
        else:
            await engine.alerts.accept(an_alert("cancel", msg_type="Cancel", referenced=("k1-alert",)))
            known = await engine.alerts.get("alert")
            if known is not None:  # as the cancel's plan does
                await engine.alerts.stop(known, state="cancelled", cause="cancel")

    assert await engine.state() == "cancelled"


async def test_worst_news_is_planned_first(engine: Engine) -> None:
    """Plan jobs go by class, then by age."""
    now = wall_ms()
    for alert_id, klass, age in [
        ("low", Class.P4, 9),
        ("new", Class.P1, 1),
        ("old", Class.P1, 5),
        ("flash", Class.P0, 0),
    ]:
        await engine.alerts.accept(an_alert(alert_id, klass=klass, received_ms=now - age))

    assert await planned(engine) == ["flash", "old", "new", "low"]


async def test_pages_go_from_new_to_old(engine: Engine) -> None:
    """Pages meet without gap or overlap, also when several alerts came in the same millisecond."""
    ids = [f"alert{n:02d}" for n in range(23)]
    for n, alert_id in enumerate(ids):
        await engine.alerts.accept(an_alert(alert_id, received_ms=1_000_000 + n // 5))
    found: list[str] = []
    cursor = ""
    while True:
        page, cursor = await engine.alerts.page(before=cursor, limit=4)
        found += [alert["id"] for alert in page]
        if not cursor:
            break

    assert found == ids[::-1]


async def test_held_update_silences_nothing_when_it_is_cancelled(engine: Engine) -> None:
    """An Update of another agency's alert, held and cancelled before anybody approved it, silenced that alert."""
    await engine.alerts.accept(an_alert("cancel", msg_type="Cancel", referenced=("k1-update",)))
    await engine.alerts.accept(an_alert("update", msg_type="Update", state="held", referenced=("k1-alert",)))
    answer = await engine.alerts.accept(an_alert())

    assert (await stored(engine, "update"))["state"] == "cancelled"
    assert answer.state == "accepted"


@pytest.mark.parametrize("first", ["decision", "alert"])
async def test_rejected_after_its_plan_was_held_stays_rejected(engine: Engine, first: str) -> None:
    """An accepted alert that the plan held and a person rejected was sent after a total loss, as if nobody had."""
    await engine.alerts.accept(an_alert())
    await engine.alerts.hold("alert", reason="plan_failed")
    await decide(engine, "reject")
    if first == "decision":
        await engine.redis.call("FLUSHALL")
        await decide(engine, "reject")
    answer = await engine.alerts.accept(an_alert())

    assert answer.state == "rejected"
    assert await planned(engine) == ([] if first == "decision" else ["alert"])


async def test_word_that_came_too_late_does_not_count_after_a_loss(engine: Engine) -> None:
    """Approved, and then rejected by somebody who had not seen it: what was effective is what is remembered."""
    await engine.alerts.accept(an_alert(state="held"))
    await decide(engine, "approve")
    late = await decide(engine, "reject")
    await engine.redis.call("DEL", engine.keys.alert("alert"))

    assert late == "accepted"
    assert (await engine.alerts.accept(an_alert(state="held"))).state == "accepted"


async def test_what_the_first_version_wrote_is_known(engine: Engine) -> None:
    """An alert with every fact in a field, and its keys apart, is read, found, and not accepted again."""
    keys = engine.keys.first
    digest = "0123456789abcdef" * 4
    facts = {"id": "old", "k0": digest, "k1": "k1-old", "k2": digest, "state": "active", "class": "P1", "received": "1"}
    pairs = [part for pair in facts.items() for part in pair]
    await engine.redis.call("HSET", keys.alert("old"), *pairs, "raw", pack(b"<alert/>"))
    await engine.redis.call("SET", keys.k0(digest), "old")
    await engine.redis.call("SADD", keys.k1("k1-old"), "old")
    known = await engine.alerts.look_up(k0=digest, k1="k1-old", alert_id="old")
    again = await engine.alerts.accept(an_alert("old", k0=digest, k1="k1-old", k2=digest))
    other = await engine.alerts.accept(an_alert("old", k0=digest, k1="k1-old", k2="other"))
    twin = await engine.alerts.accept(an_alert("twin", k1="k1-old"))
    found = await stored(engine, "old")

    assert (known.by_bytes, known.by_triple, known.k2) == ("old", ("old",), digest)
    assert [answer.verdict for answer in (again, other, twin)] == ["same", "conflict", "new"]
    assert twin.others == ("old",)
    assert (found.facts, found.raw) == (facts, b"<alert/>")
    assert await engine.alerts.by_triples(["k1-old"]) == {"k1-old": ("old", "twin")}


async def test_what_is_told_again_is_for_one_memory_only(engine: Engine) -> None:
    """Redis heard the Cancel, lost everything once more, and was told of the alert: people were told what was over."""
    marks = engine.keys.first.marks
    run, *_ = await engine.redis.run("memory", [marks, engine.keys.first.run], ["node"])
    name = Memory(run.decode(), "the first")
    await engine.redis.call("HSET", marks, "node:name", name.name)
    again = an_alert(fields={"again": "1"}, memory=name)
    taken = await engine.alerts.accept(replace(again, alert_id="before"))
    await engine.redis.call("HDEL", marks, "node:name")
    with pytest.raises(StoreUnavailable):
        await engine.alerts.accept(again)
    await engine.redis.call("HSET", marks, "node:name", name.name)
    with pytest.raises(StoreUnavailable):
        await engine.alerts.accept(replace(again, memory=Memory("another run", name.name)))

    assert taken.verdict == "new"
    assert await engine.alerts.get("alert") is None
    assert await engine.alerts.take_plans(lease_ms=1000) == Taken(["before"], 0)
