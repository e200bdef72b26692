"""The archivist over a real server: nothing is lost and nothing stays, wherever it is stopped."""

import zlib
from pathlib import Path

import orjson
import pytest

from relay.adapter import Class
from relay.store.alerts import Alerts
from relay.store.legs import Legs
from relay.store.partitions import Partitions
from relay.store.retire import Going, Retiring
from relay.store.settlement import Settlement
from relay.tracking.archive import Archive
from relay.tracking.archivist import Archivist
from relay.tracking.states import Record, State
from tests.contract.archive_side import AFTER, ArchiveSide
from tests.contract.engine_side import Engine, an_alert, wall_ms


@pytest.fixture
async def side(engine: Engine, tmp_path: Path) -> ArchiveSide:
    made = ArchiveSide(engine, tmp_path / "archive")
    await made.people(3)
    return made


async def test_finished_alert_leaves_redis_for_one_file(side: ArchiveSide) -> None:
    """What is older than the retention is in one file and not in Redis; what is younger stays."""
    before = set(await side.keys())
    leg = await side.finished()
    kept = await side.archivist.once()
    side.clock.advance(0)
    young = set(await side.keys())

    assert kept == 1
    assert young - before == {
        "c1:{p0}:turn:sms",
        "c1:{p0}:run",
        "c1:{p0}:bell:sms",
        "c1:{p0}:bell:plan",
        "c1:{p0}:marks",
    }
    assert len(side.files()) == 1
    assert side.archive.legs([leg])[leg].counts[State.DELIVERED] == 3
    found = side.archive.find("alert", with_raw=True)
    assert found is not None
    assert (found["state"], found.raw) == ("completed", b"<alert/>")


async def test_young_or_unfinished_alert_stays(side: ArchiveSide) -> None:
    """An alert stays while its retention runs, and for as long as one delivery is not at its end."""
    await side.finished()
    side.clock.advance(-7200)
    young = await side.archivist.once()
    side.clock.advance(7200)
    open_leg = await side.engine.leg([2], alert_id="open")
    went = await side.archivist.once()

    assert young == 0
    assert went == 1
    assert await side.engine.legs.get(open_leg) is not None
    assert [path.name[14:] for path in side.files()] == ["alert.jsonl.gz"]


async def test_file_is_read_by_ordinary_tools(side: ArchiveSide) -> None:
    """zcat shows lines of JSON: the alert, and one line for each delivery as the API shows it."""
    leg = await side.finished()
    await side.archivist.once()
    lines = gunzipped(side.files()[0])

    assert (lines[0]["chapar"], lines[0]["version"], lines[0]["id"]) == ("archive", 1, "alert")
    assert lines[1]["leg"] == leg
    assert [line["recipient"] for line in lines[2:]] == ["person-0", "person-1", "person-2"]
    assert {line["state"] for line in lines[2:]} == {"delivered"}


def gunzipped(path: Path) -> list[dict[str, object]]:
    """Return the lines of a file, reading it from its beginning as ``zcat`` does."""
    data, text = path.read_bytes(), b""
    while data:
        member = zlib.decompressobj(zlib.MAX_WBITS + 16)
        text += member.decompress(data)
        data = member.unused_data
    return [orjson.loads(line) for line in text.splitlines()]


async def test_many_segments_come_back_as_they_were(side: ArchiveSide) -> None:
    """Each segment can be read by itself, with the same people and the same bytes of their records."""
    leg = await side.finished(sizes=(4000, 30))
    was = await side.engine.legs.records(leg, 1, first=0, last=30)
    segment = await side.engine.legs.segment(leg, 1)
    await side.archivist.once()
    found = side.archive.segment(leg, 1)

    assert segment is not None
    assert found is not None
    assert found.records == was
    assert found.segment.ordinals.tolist() == segment.ordinals.tolist()


async def test_word_that_comes_while_it_is_written_is_not_lost(
    side: ArchiveSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt between reading and taking out: the alert stays, and is written again with it."""
    leg = await side.finished()
    retire = side.way.retire

    async def answer_first(going: Going) -> str:
        await answer(side.engine, leg, 1)
        return await retire(going)

    monkeypatch.setattr(side.way, "retire", answer_first)
    first = await side.archivist.once()
    monkeypatch.undo()
    second = await side.archivist.once()
    found = side.archive.segment(leg, 0)

    assert (first, second) == (0, 1)
    assert found is not None
    assert Record.unpack(found.records[24:48]).state is State.ACKNOWLEDGED


async def answer(engine: Engine, leg: str, position: int) -> None:
    """Let a responder answer, as a link does."""
    await engine.chunks.settle(
        Settlement(
            leg_id=leg,
            alert_id="alert",
            lane="sms",
            klass=Class.P1,
            segment=0,
            size=3,
            records={position: Record(state=State.ACKNOWLEDGED, answer=1, due=9)},
        )
    )


@pytest.mark.parametrize("step", ["writer", "finish", "retire", "gone"])
async def test_stopped_between_any_two_steps(
    side: ArchiveSide, step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Wherever it dies, nothing is lost; the next start ends with one file, an empty Redis and nothing half-written."""
    leg = await side.finished(sizes=(600,))
    target = side.way if step == "retire" else side.archive

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(target, step, die)
    with pytest.raises(KeyboardInterrupt):
        await side.archivist.once()
    monkeypatch.undo()
    in_redis = await side.engine.legs.get(leg) is not None
    side.archive.close()
    again = ArchiveSide(side.engine, tmp_path / "archive")
    await side.engine.redis.call("DEL", side.engine.keys.archiving("alert"))
    await again.archivist.once()

    assert in_redis or again.archive.find("alert") is not None
    assert await side.engine.legs.get(leg) is None
    assert again.archive.doubtful() == []
    assert [path.name[14:] for path in (tmp_path / "archive").glob("2*/*")] == ["alert.jsonl.gz"]
    assert again.archive.legs([leg])[leg].counts[State.DELIVERED] == 600


async def test_only_one_node_archives(engine: Engine, side: ArchiveSide, tmp_path: Path) -> None:
    """The node that accepted an alert archives it; another only when that one is silent and the alert is over."""
    other = ArchiveSide(engine, tmp_path / "other", node="other")
    await side.finished(expires_ms=wall_ms() + 5 * 3_600_000)
    not_mine = await other.archivist.once()
    held = await side.way.lease("alert", "somebody", seconds=30)
    leased = await side.archivist.once()
    await engine.redis.call("DEL", engine.keys.archiving("alert"))
    other.clock.advance(4 * 3600)
    taken = await other.archivist.once()

    assert (not_mine, held, leased, taken) == (0, True, 0, 1)
    assert side.files() == []


async def test_note_stays_for_other_nodes(engine: Engine, side: ArchiveSide) -> None:
    """With two nodes on one Redis, a repeated post of an archived alert is known for as long as the alert lives."""
    await engine.redis.call("HSET", engine.keys.marks, "node:name", "x", "other:name", "y")
    await side.finished(expires_ms=wall_ms() + 5 * 3_600_000)
    await side.archivist.once()
    same = await engine.alerts.accept(an_alert())
    note = await engine.alerts.get("alert")
    left = await engine.redis.call("TTL", engine.keys.alert("alert"))

    assert same.verdict == "same"
    assert note is not None
    assert (note["archived"], note.raw) == ("node", b"")
    assert 0 < left <= 3 * 3600 + 60


async def test_cancel_stays_behind_what_it_cancels(engine: Engine, side: ArchiveSide) -> None:
    """A Cancel leaves after its target, so that a loss of Redis in between never brings back what was cancelled."""
    await engine.alerts.accept(an_alert("first", received_ms=wall_ms() - 1000))
    await side.finished(
        "cancel", msg_type="Cancel", referenced=("k1-first",), fields={"referenced": "k1-first", "msgType": "Cancel"}
    )
    stays = await side.archivist.once()
    await engine.redis.call("HSET", engine.keys.alert("first"), "state", "cancelled")
    await engine.redis.call("ZREM", engine.keys.plan, "first")
    went = await side.archivist.once()

    assert (stays, went) == (0, 2)


async def test_damaged_index_is_made_anew(side: ArchiveSide, tmp_path: Path) -> None:
    """The files are the truth: an index that is lost or broken is made from them."""
    leg = await side.finished()
    await side.archivist.once()
    side.archive.close()
    (tmp_path / "archive" / "index.sqlite").write_bytes(b"not a database" * 100)
    again = Archive(tmp_path / "archive", node="node")
    again.open(now_ms=wall_ms())

    assert again.figures().alerts == 1
    assert again.legs([leg])[leg].counts[State.DELIVERED] == 3
    assert again.find("alert") is not None


async def test_another_partitions_alert_is_not_gone(
    engine: Engine, side: ArchiveSide, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It was written, and is still in Redis; the archivist of a partition that never had it called it gone."""
    await side.finished()

    async def refused(_going: Going) -> str:
        return "changed"

    monkeypatch.setattr(side.way, "retire", refused)
    await side.archivist.once()
    monkeypatch.undo()
    keys = Partitions(4)
    keys.settled("alert", keys.all[engine.keys.number])
    other = Archivist(
        side.archive,
        Retiring(engine.redis, keys.all[3]),
        Alerts(engine.redis, keys),
        Legs(engine.redis, keys),
        side.directory,
        node="node",
        after=AFTER,
        clock=side.clock,
    )
    await other.once()

    assert side.archive.doubtful() == ["alert"]
