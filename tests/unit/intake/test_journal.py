"""The journal: an append that returned is on the disk, and nothing else is promised."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from relay.errors import JournalUnavailable
from relay.intake.frames import MAX_PAYLOAD, Frame, FrameType
from relay.intake.journal import Journal, JournalLimits
from relay.intake.segment import segments_of

SMALL = JournalLimits(segment_bytes=400, retry_pause=0.01)


class Gate:
    """An fsync that counts its calls and waits while the gate is shut."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.calls = 0

    def sync(self, fd: int) -> None:
        self.calls += 1
        self.open.wait(10)
        os.fdatasync(fd)


async def append_all(journal: Journal, payloads: list[bytes]) -> list[int]:
    async with asyncio.TaskGroup() as tasks:
        appends = [tasks.create_task(journal.append(FrameType.ACCEPT, body), name="append") for body in payloads]
    return [append.result() for append in appends]


def payloads(journal: Journal) -> list[bytes]:
    return [frame.payload for frame in journal.records()]


async def test_what_was_appended_is_found_after_reopening(tmp_path: Path) -> None:
    """Records come back in order with their types, and numbers go on."""
    journal = Journal.open(tmp_path / "journal", node="n1")
    assert await journal.append(FrameType.ACCEPT, b"one") == 1
    assert await journal.append(FrameType.CANCEL, b"two") == 2
    await journal.close()

    again = Journal.open(tmp_path / "journal", node="n1")

    assert list(again.records()) == [Frame(1, FrameType.ACCEPT, b"one"), Frame(2, FrameType.CANCEL, b"two")]
    assert await again.append(FrameType.MARK, b"") == 3
    await again.close()
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o700


async def test_waiting_appends_share_one_fsync(tmp_path: Path) -> None:
    """While one fsync runs the others gather: a hundred appends need a handful of fsyncs, not a hundred."""
    gate = Gate()
    journal = Journal.open(tmp_path, node="n", sync=gate.sync)
    await journal.append(FrameType.MARK, b"")
    gate.calls = 0

    seqs = await append_all(journal, [b"x%d" % n for n in range(100)])

    assert sorted(seqs) == list(range(2, 102))
    assert gate.calls <= 5
    assert journal.status().fsync.count >= 2
    await journal.close()


async def test_no_answer_before_the_fsync(tmp_path: Path) -> None:
    """An append does not return while its fsync runs, and the loop is not blocked meanwhile."""
    gate = Gate()
    journal = Journal.open(tmp_path, node="n", sync=gate.sync)
    await journal.append(FrameType.MARK, b"")
    gate.open.clear()

    async with asyncio.TaskGroup() as tasks:
        append = tasks.create_task(journal.append(FrameType.ACCEPT, b"a"), name="append")
        await asyncio.sleep(0.05)
        assert not append.done()
        assert payloads(journal) == [b""]
        gate.open.set()

    assert append.result() == 2
    await journal.close()


async def test_the_queue_is_bounded(tmp_path: Path) -> None:
    """A disk that hangs leads to refusals, not to unbounded memory; what waited is kept when it recovers."""
    gate = Gate()
    gate.open.clear()
    journal = Journal.open(tmp_path, node="n", limits=JournalLimits(waiting=3, waiting_bytes=100), sync=gate.sync)

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(journal.append(FrameType.ACCEPT, b"first"), name="first")
        while gate.calls == 0:
            await asyncio.sleep(0.001)
        others = [tasks.create_task(journal.append(FrameType.ACCEPT, b"wait"), name="wait") for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(JournalUnavailable, match="wait for the disk"):
            await journal.append(FrameType.ACCEPT, b"too many")
        gate.open.set()

    assert [task.result() for task in (first, *others)] == [1, 2, 3, 4]
    with pytest.raises(JournalUnavailable, match="wait for the disk"):
        await journal.append(FrameType.ACCEPT, bytes(101))
    await journal.close()


async def test_a_record_too_large_is_refused_before_it_is_written(tmp_path: Path) -> None:
    """A record that could not be read back is the caller's mistake."""
    journal = Journal.open(tmp_path, node="n")

    with pytest.raises(ValueError, match="at most"):
        await journal.append(FrameType.ACCEPT, bytes(MAX_PAYLOAD + 1))
    await journal.close()


async def test_a_client_that_hangs_up_does_not_disturb_the_others(tmp_path: Path) -> None:
    """A cancelled append may be on the disk; the appends of its group are answered all the same."""
    gate = Gate()
    gate.open.clear()
    journal = Journal.open(tmp_path, node="n", sync=gate.sync)

    async with asyncio.TaskGroup() as tasks:
        gone = tasks.create_task(journal.append(FrameType.ACCEPT, b"gone"), name="gone")
        kept = tasks.create_task(journal.append(FrameType.ACCEPT, b"kept"), name="kept")
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        gate.open.set()

    assert gone.cancelled()
    assert kept.result() == 2
    await journal.close()


async def test_closing_writes_what_waits_and_refuses_what_comes(tmp_path: Path) -> None:
    """Close is orderly: the queue is written first, then appends are refused."""
    gate = Gate()
    gate.open.clear()
    journal = Journal.open(tmp_path, node="n", sync=gate.sync)

    async with asyncio.TaskGroup() as tasks:
        append = tasks.create_task(journal.append(FrameType.ACCEPT, b"a"), name="append")
        await asyncio.sleep(0)
        closing = tasks.create_task(journal.close(), name="close")
        await asyncio.sleep(0)
        gate.open.set()

    assert append.result() == 1
    assert closing.done()
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.append(FrameType.ACCEPT, b"late")


async def test_closing_is_bounded(tmp_path: Path) -> None:
    """A disk that never answers cannot hold up the stop: what waits behind it is refused."""
    gate = Gate()
    gate.open.clear()
    journal = Journal.open(tmp_path, node="n", sync=gate.sync)

    async with asyncio.TaskGroup() as tasks:
        stuck = tasks.create_task(_refused(journal, b"stuck"), name="stuck")
        while gate.calls == 0:
            await asyncio.sleep(0.001)
        behind = tasks.create_task(_refused(journal, b"behind"), name="behind")
        await asyncio.sleep(0)
        await journal.close(deadline=0.05)
        await behind
        assert behind.result() == "the journal was closed"
        gate.open.set()

    assert stuck.result() == ""


async def _refused(journal: Journal, payload: bytes) -> str:
    try:
        await journal.append(FrameType.ACCEPT, payload)
    except JournalUnavailable as error:
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_writer_that_dies_leaves_nobody_waiting(tmp_path: Path) -> None:
    """An error nobody foresaw in the writer's thread refuses everything instead of hanging."""

    def impossible(_fd: int) -> None:
        raise SystemExit

    journal = Journal.open(tmp_path, node="n", sync=impossible)

    with pytest.raises(JournalUnavailable, match="stopped"):
        await journal.append(FrameType.ACCEPT, b"a")
    with pytest.raises(JournalUnavailable, match="closed"):
        await journal.append(FrameType.ACCEPT, b"b")
    await journal.close()


async def test_damage_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    """A bad frame between good ones is named in the status; the good ones are all there."""
    journal = Journal.open(tmp_path, node="n")
    await append_all(journal, [b"first", b"second", b"third"])
    await journal.close()
    path = segments_of(tmp_path)[0]
    path.write_bytes(path.read_bytes().replace(b"second", b"sEcond"))

    again = Journal.open(tmp_path, node="n")

    assert payloads(again) == [b"first", b"third"]
    assert again.status().damaged == (path.name,)
    await again.close()


async def test_segments_without_live_records_are_deleted(tmp_path: Path) -> None:
    """A segment goes when nothing in it is live; the newest stays, and numbers go on after it."""
    journal = Journal.open(tmp_path, node="n", limits=SMALL)
    for n in range(10):
        await journal.append(FrameType.ACCEPT, b"%03d" % n * 100)
    names = [path.name for path in segments_of(tmp_path)]

    gone = journal.retire(lambda frame: frame.seq in {4, 10})

    assert gone == len(names) - 2
    assert next(frame.seq for frame in journal.records()) in {3, 4}
    assert journal.retire(lambda _frame: False) == 1
    await journal.close()
    again = Journal.open(tmp_path, node="n", limits=SMALL)
    assert await again.append(FrameType.ACCEPT, b"next") == 11
    await again.close()


async def test_deleting_never_brings_back_what_was_refused(tmp_path: Path) -> None:
    """The segment that makes a refused record void stays as long as the one that holds it."""
    failures = 0

    def sync(fd: int) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError(5, "Input/output error")
        os.fdatasync(fd)

    journal = Journal.open(tmp_path, node="n", limits=JournalLimits(segment_bytes=200, retry_pause=0.0), sync=sync)
    await journal.append(FrameType.ACCEPT, b"kept")
    failures = 2
    with pytest.raises(JournalUnavailable):
        await journal.append(FrameType.ACCEPT, b"refused")
    for _ in range(3):
        await journal.append(FrameType.ACCEPT, b"done" * 50)
    await journal.close()
    again = Journal.open(tmp_path, node="n")

    gone = again.retire(lambda frame: frame.payload == b"kept")

    assert gone == 1
    assert payloads(again) == [b"kept", b"done" * 50, b"done" * 50]
    await again.close()


async def test_a_damaged_segment_is_set_aside(tmp_path: Path) -> None:
    """Evidence of corruption is renamed, not deleted."""
    journal = Journal.open(tmp_path, node="n", limits=SMALL)
    for n in range(6):
        await journal.append(FrameType.ACCEPT, b"%03d" % n * 50)
    path = segments_of(tmp_path)[0]
    path.write_bytes(path.read_bytes().replace(b"000", b"xxx", 1))

    journal.retire(lambda _frame: False)

    assert (tmp_path / (path.name + ".damaged")).exists()
    assert journal.status().damaged == (path.name,)
    await journal.close()
