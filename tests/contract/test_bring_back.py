"""Bringing back: an archived alert is whole again in Redis when somebody needs it."""

from pathlib import Path

import numpy as np
import pytest

from relay.errors import StoreFull, StoreUnavailable
from relay.fanout.ids import DeliveryRef
from relay.tracking.bring_back import Lending, renumbered
from relay.tracking.states import Record, State
from tests.contract.engine_side import Engine, an_alert
from tests.contract.kept_side import World


async def test_cancel_brings_back_what_it_needs(world: World) -> None:
    """What a Cancel names comes back whole, and what that had replaced as well; twice does no harm."""
    first = await world.archived("first")
    second = await world.archived("second", msg_type="Update", referenced=("k1-first",))
    was = await world.legs.records(first, 0, first=0, last=3)
    cancel = an_alert("cancel", msg_type="Cancel", referenced=("k1-second",))
    await world.alerts.accept(cancel)
    await world.recall.chain(["k1-second"], since_ms=0)
    back = [await world.engine.alerts.get(name) for name in ("first", "second")]

    assert all(alert is not None and alert["back"] and alert.raw == b"<alert/>" for alert in back)
    assert await world.engine.legs.records(first, 0, first=0, last=3) == was
    assert await world.engine.legs.segment(second, 0) is not None
    assert await world.engine.alerts.by_triples(["k1-first"]) == {"k1-first": ("first",)}
    ends = [await world.engine.redis.call("TTL", world.engine.keys.segment(leg, 0)) for leg in (first, second)]
    assert ends == [-1, -1]


async def test_late_words_come_back_with_the_alert(world: World) -> None:
    """An alert that comes back has the late words in its records, and is archived again with them."""
    leg = await world.archived()
    place = await world.writes.leg(DeliveryRef(leg, 0))
    assert place is not None
    await world.writes.write(place, Record(state=State.ACKNOWLEDGED, answer=1, due=77))
    await world.recall.alert("alert")
    in_redis = Record.unpack(await world.engine.legs.records(leg, 0, first=0, last=1))
    world.clock.advance(2 * 3600)
    again = await world.archivist.once()
    found = world.archive.segment(leg, 0)
    counts = world.archive.legs([leg])[leg].counts

    assert in_redis.state is State.ACKNOWLEDGED
    assert again == 1
    assert found is not None
    assert Record.unpack(found.records[:24]).state is State.ACKNOWLEDGED
    assert (counts[State.ACKNOWLEDGED], counts[State.DELIVERED]) == (1, 2)
    assert list(world.folder.glob("*/*.late")) == []


async def test_what_redis_has_stays(world: World) -> None:
    """An alert that is in Redis is never overwritten by what the archive has; one that is nowhere does not come."""
    await world.archived()
    await world.recall.alert("alert")
    await world.engine.redis.call("HSET", world.engine.keys.alert("alert"), "state", "cancelled")

    assert not await world.recall.alert("alert")
    assert not await world.recall.alert("nobody")
    assert await world.engine.state() == "cancelled"


async def test_lost_segments_are_written_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments that went before their leg was known are written once more; then it is said that it cannot be."""
    leg = await world.archived()
    stage = world.way.stage
    lost = 1

    async def losing(leg_id: str, number: int, blobs: tuple[bytes, bytes, bytes]) -> None:
        nonlocal lost
        await stage(leg_id, number, blobs)
        if lost:
            lost -= 1
            await world.engine.redis.call("DEL", world.engine.keys.segment(leg_id, number))

    monkeypatch.setattr(world.way, "stage", losing)
    came = await world.recall.alert("alert")
    segment = await world.engine.legs.segment(leg, 0)
    await world.engine.redis.call("FLUSHALL")
    lost = 9
    with pytest.raises(StoreUnavailable):
        await world.recall.alert("alert")

    assert came
    assert segment is not None
    assert not await world.engine.state()


def test_channels_are_numbered_as_now() -> None:
    """Records name channels by numbers that a loss of Redis may have given anew; none stays none."""
    table = np.arange(256, dtype=np.uint8)
    table[1], table[2] = 2, 1
    records = b"".join(Record(state=State.DELIVERED, channel=channel, ended=4).pack() for channel in (0, 1, 2, 3))
    found = renumbered(records, table)

    assert [Record.unpack(found[i : i + 24]).channel for i in range(0, 96, 24)] == [0, 2, 1, 3]
    assert [Record.unpack(found[i : i + 24]).ended for i in range(0, 96, 24)] == [4] * 4


async def test_other_nodes_archive_is_asked(engine: Engine, world: World, tmp_path: Path) -> None:
    """A Cancel at one node of what another has archived waits until that one has brought it back, a minute at most."""
    await engine.redis.call("HSET", engine.keys.marks, "node:name", "x", "other:name", "y")
    leg = await world.archived()
    other = World(engine, tmp_path / "other", node="other")
    cancel = an_alert("cancel", msg_type="Cancel", referenced=("k1-alert",), received_ms=int(other.clock.time() * 1000))
    note = await other.alerts.get("alert")
    with pytest.raises(StoreFull):
        await other.alerts.accept(cancel)
    nobody = await Lending(other.archive, other.recall, [other.way]).once()
    still = await engine.legs.get(leg)
    alone = await Lending(world.archive, world.recall, [world.way]).once()
    taken = await other.alerts.accept(cancel)
    wanted = await world.way.wanted()

    assert note is not None
    assert (note["archived"], note.raw) == ("node", b"")
    assert (nobody, still, alone, wanted) == (False, None, False, [])
    assert await engine.legs.get(leg) is not None
    assert taken.verdict == "new"


async def test_other_node_that_is_silent_is_not_waited_for(engine: Engine, world: World, tmp_path: Path) -> None:
    """After a minute the Cancel goes without what nobody brings back."""
    await engine.redis.call("HSET", engine.keys.marks, "node:name", "x", "other:name", "y")
    await world.archived()
    other = World(engine, tmp_path / "other", node="other")
    received = int(other.clock.time() * 1000) - 61_000
    taken = await other.alerts.accept(
        an_alert("cancel", msg_type="Cancel", referenced=("k1-alert",), received_ms=received)
    )

    assert taken.verdict == "new"
