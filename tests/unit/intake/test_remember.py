"""What waits for Redis: nothing is forgotten, the worst news first, and one bad record stops nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import pytest

from relay.adapter import Class
from relay.errors import StoreUnavailable
from relay.intake.frames import FrameType
from relay.intake.journal import Journal
from relay.intake.live import APPLIED
from relay.intake.records import AcceptRecord, ControlRecord, DirectoryRecord, MarkRecord, Record, decode_as, encode
from relay.intake.remember import NotYet, Remember
from relay.store.memories import Memories, Memory
from relay.testing.clocks import START, FakeClock


class Redis:
    """A store that applies records, can be away, and can be emptied."""

    def __init__(self) -> None:
        self.told: list[tuple[int, bool]] = []
        self.memories: list[tuple[int, Memory | None]] = []
        self.away = False
        self.memory = ""
        self.run = "run-1"
        self.fails: dict[int, Exception] = {}
        self.during: dict[int, object] = {}
        self.remember: Remember | None = None

    places = (0,)

    async def read(self, node: str) -> dict[int, Memory]:
        assert node == "node"
        if self.away:
            raise StoreUnavailable("away")
        return {0: Memory(self.run, self.memory)}

    async def name(self, node: str, place: int, name: str) -> None:
        assert (node, place) == ("node", 0)
        self.memory = name

    async def apply(self, record: Record, number: int, again: Memory | None) -> None:
        if self.away:
            raise StoreUnavailable("away")
        if number in self.during:
            assert self.remember is not None
            late, late_number = cast("tuple[Record, int]", self.during.pop(number))
            self.remember.later(late, late_number)
            await asyncio.sleep(0)
        if number in self.fails:
            raise self.fails[number]
        self.told.append((number, again is not None))
        self.memories.append((number, again))

    @property
    def numbers(self) -> list[int]:
        return [number for number, _ in self.told]


class World:
    """A journal on a disk, and a store beside it."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.journal = Journal.open(folder, node="node", clock=self.clock)
        self.redis = Redis()
        self.stopping = asyncio.Event()
        self.begin()

    def begin(self) -> None:
        """Start anew, as after a restart."""
        memories = cast("Memories", self.redis)
        self.remember = Remember(self.journal, memories, node="node", clock=self.clock, apply=self.redis.apply)
        self.redis.remember = self.remember

    async def accept(self, klass: Class = Class.P2) -> int:
        """Journal an alert and keep it for later."""
        record = an_accept(klass)
        number = await self.journal.append(FrameType.ACCEPT, encode(record))
        self.remember.later(record, number)
        return number

    async def once(self) -> None:
        """Let it do what it can do now."""
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.remember.run(self.stopping))
            for _ in range(40):
                await asyncio.sleep(0.005)
                if not self.remember.pending:
                    break
            await asyncio.sleep(0.02)
            task.cancel()

    def notes(self) -> list[MarkRecord]:
        """Return what was noted as applied."""
        marks = [decode_as(f, MarkRecord) for f in self.journal.records() if f.type == FrameType.MARK]
        return [mark for mark in marks if mark.note == APPLIED]


def an_accept(
    klass: Class = Class.P2, *, k1: str = "", refers: Sequence[str] = (), state: str = "accepted"
) -> AcceptRecord:
    return AcceptRecord(
        alert_id="a",
        received_at=START,
        key_id="k",
        agency="meteo",
        content_type="text/xml",
        klass=klass,
        k1=k1,
        refers=list(refers),
        state=state,
    )


def an_edit() -> DirectoryRecord:
    return DirectoryRecord(op="put", id="r1", json={}, at=START)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    asyncio.run(made.journal.close())


async def test_a_word_that_ends_an_alert_is_told_before_it(world: World) -> None:
    """After a loss workers planned what had been superseded long ago, because its Update stood behind it."""
    records = [
        an_accept(Class.P1, k1="flood"),
        an_accept(Class.P3, k1="update", refers=["flood"]),
        an_accept(Class.P0, k1="cancel", refers=["update"]),
        an_accept(Class.P2, k1="held", refers=["storm"], state="held"),
        an_accept(Class.P2, k1="storm"),
        an_accept(Class.P0, k1="flash"),
    ]
    names = {await world.journal.append(FrameType.ACCEPT, encode(record)): record.k1 for record in records}
    await world.remember.load()
    await world.once()
    told = [names[number] for number, _ in world.redis.told]

    # A held one is not in force: it ends nothing.
    assert told == ["cancel", "flash", "held", "storm", "update", "flood"]


async def test_worst_news_goes_first(world: World) -> None:
    """What gathered while Redis was away is told by class, and in the order of arrival within one."""
    for klass in (Class.P4, Class.P2, Class.P0, Class.P2, Class.P1):
        await world.accept(klass)
    await world.once()

    assert world.redis.numbers == [3, 5, 2, 4, 1]
    assert world.remember.pending == 0
    assert world.remember.available


async def test_news_that_comes_while_another_is_told_is_told_too(world: World) -> None:
    """A P0 that arrived during the call became the head of the heap and was thrown away in place of what was told."""
    await world.accept(Class.P2)
    world.redis.during[1] = (an_accept(Class.P0), 77)
    await world.once()

    assert world.redis.numbers == [1, 77]
    assert world.remember.pending == 0


async def test_record_that_cannot_be_applied_stops_nobody(world: World) -> None:
    """One record that raised ended the whole process, again at every start; now it waits alone and is not forgotten."""
    for _ in range(3):
        await world.accept()
    world.redis.fails[2] = RuntimeError("a defect")
    await world.once()

    assert world.redis.numbers == [1, 3]
    assert (world.remember.pending, world.remember.available) == (1, True)

    world.redis.fails.clear()
    world.clock.advance(1)
    await world.once()

    assert world.redis.numbers == [1, 3, 2]
    assert world.remember.pending == 0


async def test_what_has_no_counterpart_yet_does_not_make_redis_unavailable(world: World) -> None:
    """An answer to an alert that never came back held everything behind it: every post then stayed "pending"."""
    await world.accept()
    world.redis.fails[1] = NotYet("its leg is not back")
    await world.once()

    assert (world.remember.pending, world.remember.available) == (1, True)

    for _ in range(20):
        world.clock.advance(60)
        world.remember._take_back()
        await world.remember._drain(world.stopping)

    assert world.remember.pending == 0
    assert world.redis.told == []


async def test_away_means_later(world: World) -> None:
    """Nothing is dropped, reordered or counted as applied while Redis is away."""
    world.redis.away = True
    await world.accept(Class.P3)
    await world.accept(Class.P1)
    await world.once()
    before = (world.redis.numbers, world.remember.pending, world.remember.available)
    world.redis.away = False
    await world.once()

    assert before == ([], 2, False)
    assert world.redis.numbers == [2, 1]


async def test_redis_that_goes_away_halfway_gets_the_rest_later(world: World) -> None:
    """The record during which Redis went away is told again."""
    await world.accept()
    await world.accept()
    world.redis.fails[2] = StoreUnavailable("gone")
    await world.once()
    before = (world.redis.numbers, world.remember.pending)
    world.redis.fails.clear()
    await world.once()

    assert before == ([1], 1)
    assert world.redis.numbers == [1, 2]


async def test_same_record_waits_once(world: World) -> None:
    """A record that is queued twice is told once."""
    number = await world.accept()
    world.remember.later(an_accept(), number)
    await world.once()

    assert world.redis.numbers == [number]


async def test_waiting_kinds_are_known(world: World) -> None:
    """Who writes a later edit can see that an older one waits."""
    world.remember.later(an_edit(), 5)
    waiting = world.remember.waits(DirectoryRecord), world.remember.waits(ControlRecord)
    await world.once()

    assert waiting == (True, False)
    assert not world.remember.waits(DirectoryRecord)


async def test_edits_go_before_alerts_and_repeated_ones_let_flash_pass(world: World) -> None:
    """Alerts are matched against the edits before them; but a week of old edits does not delay a P0."""
    world.remember.later(an_edit(), 1, again=True)
    world.remember.later(an_accept(Class.P0), 2)
    world.remember.later(an_accept(Class.P1), 3)
    world.remember.later(an_edit(), 4)
    await world.once()

    assert world.redis.numbers == [4, 2, 1, 3]


async def test_restart_tells_what_was_not_confirmed(world: World) -> None:
    """Killed after the journal and before Redis: the next process tells it; what was confirmed is a repetition."""
    await world.accept()
    await world.once()
    await world.accept()
    world.redis.told.clear()
    world.begin()
    loaded = await world.remember.load()
    await world.once()

    assert loaded == 2
    assert world.redis.told == [(1, True), (3, False)]  # 2 is the note
    assert world.remember.newest == START
    assert world.remember.applied == 3


async def test_emptied_redis_is_told_everything_again(world: World) -> None:
    """FLUSHALL takes the memory's name with it: the directory comes back first, then all records, as repetitions."""
    steps: list[str] = []

    async def directory() -> None:
        steps.append(f"directory before {len(world.redis.told)}")

    world.remember.on_loss = directory
    await world.accept()
    await world.once()
    first, world.redis.memory = world.redis.memory, ""
    world.redis.told.clear()
    await world.once()

    assert world.redis.told == [(1, True)]
    assert steps == ["directory before 0"]
    assert world.redis.memory not in ("", first)
    assert world.remember.lost_at == START


async def test_other_server_run_may_have_lost_the_end(world: World) -> None:
    """After a crash or a failover the name is there and the last second may not be: everything is told again."""
    await world.accept()
    await world.once()
    world.redis.run = "run-2"
    await world.once()

    assert world.redis.told == [(1, False), (1, True)]


async def test_loss_is_noticed_again_when_recovery_was_interrupted(world: World) -> None:
    """Redis goes away while the directory is put back: the loss is not taken for handled."""
    away = True

    async def directory() -> None:
        if away:
            raise StoreUnavailable("gone again")

    world.remember.on_loss = directory
    await world.accept()
    await world.once()
    world.redis.memory = ""
    await world.once()
    before = list(world.redis.told)
    away = False
    await world.once()

    assert before == [(1, False)]
    assert world.redis.told == [(1, False), (1, True)]


async def test_notes_are_written_only_when_something_was_applied(world: World) -> None:
    """While Redis was away a list of everything that waited went to the journal five times a second."""
    world.redis.away = True
    for _ in range(5):
        await world.accept()
        await world.once()
    before = len(world.notes())
    world.redis.away = False
    await world.once()
    await world.once()

    assert before == 0
    assert [(note.values["applied"], note.values["open"]) for note in world.notes()] == [(5, [])]


async def test_full_disk_costs_a_note_and_nothing_else(world: World) -> None:
    """A note that cannot be written is tried again with the next round."""
    await world.accept()
    await world.journal.close()
    await world.once()

    assert world.redis.numbers == [1]
    assert not await world.remember.mark(APPLIED, {})


async def test_loss_in_the_middle_of_telling_again(world: World) -> None:
    """Each record that is told again names the memory it is for, so that no other takes it; a first word names none."""
    await world.accept()
    await world.once()
    first = world.redis.memory
    world.redis.memory, world.redis.run = "", "run-2"
    await world.once()

    assert [memory for _, memory in world.redis.memories] == [None, Memory("run-2", world.redis.memory)]
    assert world.redis.memory != first


@pytest.mark.parametrize("lost", [True, False])
async def test_what_was_told_and_never_noted_is_told_again_after_a_loss(world: World, lost: bool) -> None:
    """The process died before it could note the last alert, and Redis was emptied before the next one began."""
    await world.accept()
    await world.once()
    late = an_accept()
    number = await world.journal.append(FrameType.ACCEPT, encode(late))
    await world.redis.apply(late, number, None)
    world.redis.told.clear()
    if lost:
        world.redis.memory = ""
    world.begin()
    await world.remember.load()
    await world.once()

    assert dict(world.redis.told) == {1: True, number: lost}
