"""The way out of Redis and back, script by script, over real servers."""

import pytest

from relay.store.alerts import StoredAlert
from relay.store.retire import Back, Going, Retiring
from relay.tracking.states import Record, State
from tests.contract.engine_side import Engine, an_alert, wall_ms


@pytest.fixture
def way(engine: Engine) -> Retiring:
    return Retiring(engine.redis, engine.keys.first)


async def going(engine: Engine, *, keep: int = 0) -> Going:
    """Return the alert as it is now, to be taken out."""
    stored = await engine.alerts.get("alert")
    assert stored is not None
    legs = [leg for leg in await engine.legs.get_many(stored.legs) if leg is not None]
    return Going(alert=stored, legs=legs, token="mine", node="node", keep=keep)


async def finished(engine: Engine) -> None:
    await engine.leg([2])
    await engine.settle(await engine.claim(), {p: Record(state=State.DELIVERED, send=1) for p in (0, 1)})


async def test_oldest_come_first(engine: Engine, way: Retiring) -> None:
    """What may be old enough is read oldest first, a few facts each, and from where one left off."""
    now = wall_ms()
    for age in (1, 3, 2):
        await engine.alerts.accept(an_alert(f"age-{age}", received_ms=now - age * 1000))
    found = await way.old(before_ms=now - 1500, skip=0, most=9)
    rest = await way.old(before_ms=now, skip=2, most=9)

    assert [alert["id"] for alert in found] == ["age-3", "age-2"]
    assert [alert["id"] for alert in rest] == ["age-1"]
    assert (found[0]["state"], found[0]["node"], found[0].raw) == ("accepted", "node", b"")


async def test_lease_is_ones_own(way: Retiring) -> None:
    """Who has the lease may have it again; another may not, until it ends."""
    mine = [await way.lease("alert", "mine", seconds=30) for _ in range(2)]
    others = await way.lease("alert", "other", seconds=30)

    assert (mine, others) == ([True, True], False)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("HSET", "alert", "state", "cancelled"), "changed"),
        (("HSET", "alert", "cancelled_by", "c"), "changed"),
        (("HSET", "leg", "late", "1"), "changed"),
        (("DEL", "lease"), "lost"),
        (("SET", "lease", "other"), "lost"),
        (("DEL", "alert"), "unknown"),
    ],
)
async def test_only_what_was_read_is_taken_out(
    engine: Engine, way: Retiring, change: tuple[str, ...], word: str
) -> None:
    """Whatever changed after it was read, nothing is deleted."""
    await finished(engine)
    out = await going(engine)
    await way.lease("alert", "mine", seconds=30)
    keys = engine.keys.first
    names = {"alert": keys.alert("alert"), "leg": keys.leg(out.legs[0].leg_id), "lease": keys.archiving("alert")}
    command, name, *rest = change
    await engine.redis.call(command, names[name], *rest)
    before = sorted(await engine.redis.call("KEYS", "*"))

    assert await way.retire(out) == word
    assert sorted(await engine.redis.call("KEYS", "*")) == before


async def test_taken_out_twice_is_taken_out_once(engine: Engine, way: Retiring) -> None:
    """When the answer was lost, asking again says that it is gone."""
    await finished(engine)
    out = await going(engine)
    words = []
    for _ in range(2):
        await way.lease("alert", "mine", seconds=30)
        words.append(await way.retire(out))

    assert words == ["gone", "unknown"]


async def test_namesake_stays(engine: Engine, way: Retiring) -> None:
    """Another alert with the same sender, identifier and sent keeps its place under the triple."""
    await finished(engine)
    await engine.alerts.accept(an_alert("twin", k1="k1-alert"))
    await way.lease("alert", "mine", seconds=30)
    await way.retire(await going(engine))

    assert await engine.alerts.by_triples(["k1-alert"]) == {"k1-alert": ("twin",)}


async def test_states_leave_notes_out(engine: Engine, way: Retiring) -> None:
    """A note of an archived alert is not an alert that is here."""
    await engine.alerts.accept(an_alert("here"))
    await engine.redis.call("HSET", engine.keys.first.alert("note"), "state", "completed", "archived", "n")

    assert list(await way.states(["here", "note", "nowhere"])) == ["here"]


async def test_back_replaces_a_note_and_nothing_else(engine: Engine, way: Retiring) -> None:
    """An alert comes back over the note of it; one that is there stays as it is."""
    await finished(engine)
    out = await going(engine, keep=60)
    await way.lease("alert", "mine", seconds=30)
    gone = await way.retire(out)
    leg = out.legs[0]
    blobs = (b"segment", b"r" * 48, b"")
    await way.stage(leg.leg_id, 0, blobs)
    back = [Back(leg=leg, facts=leg.facts, blobs={0: blobs})]
    words = [await way.bring_back(StoredAlert({**out.alert.facts, "back": "5"}, out.alert.raw), back) for _ in range(2)]
    now = await engine.alerts.get("alert")

    assert (gone, words) == ("gone", ["back", "known"])
    assert now is not None
    assert (now["archived"], now["back"], now.raw) == ("", "5", b"<alert/>")
    assert (await engine.known(leg.leg_id)).counts == leg.counts


async def test_large_leg_goes_in_pieces(engine: Engine, way: Retiring) -> None:
    """A leg of many segments is taken out at once, its blobs piece by piece; what came back meanwhile stays."""
    keys = engine.keys.first
    await engine.leg([1] * 120)
    out = await going(engine)
    leg = out.legs[0].leg_id
    for number in range(120):
        await way.stage(leg, number, (b"s", b"r", b"o"))
    await way.lease("alert", "mine", seconds=30)
    word = await way.retire(out)
    listed = await engine.legs.get(leg)
    left = len(await engine.redis.call("KEYS", f"*{leg}:*"))
    purged = await way.purge()
    after = await engine.redis.call("KEYS", f"*{leg}*")
    await engine.redis.call("RPUSH", keys.purge, f"{leg} 1")
    await engine.redis.call("HSET", keys.legs, leg, out.legs[0].cursor.pack())
    await way.stage(leg, 0, (b"s", b"r", b"o"))
    await way.purge()

    assert (word, listed, left, purged, after) == ("gone", None, 360, 1, [])
    assert len(await engine.redis.call("KEYS", f"*{leg}:*")) == 3
    assert await engine.redis.call("EXISTS", keys.purge) == 0
