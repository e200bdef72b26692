"""The journal's writer on a disk that fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from relay.errors import JournalUnavailable
from relay.intake import segment
from relay.intake.frames import FrameType
from relay.intake.writer import Record, SegmentWriter
from relay.testing.clocks import FakeClock


class Disk:
    """An fsync that fails when it is told to, and remembers on which files it was called."""

    def __init__(self) -> None:
        self.failures = 0
        self.failed: set[str] = set()
        self.again: set[str] = set()

    def sync(self, fd: int) -> None:
        name = str(Path(f"/proc/self/fd/{fd}").readlink())
        if name in self.failed:
            self.again.add(name)
        if self.failures:
            self.failures -= 1
            self.failed.add(name)
            raise OSError(errno.EIO, "Input/output error")
        os.fdatasync(fd)


def writer(directory: Path, disk: Disk, clock: FakeClock, *, segment_bytes: int = 1 << 20) -> SegmentWriter:
    return SegmentWriter(
        directory, node="n", segment_bytes=segment_bytes, retry_pause=0.25, clock=clock, sync=disk.sync
    )


def group(*payloads: bytes) -> list[Record]:
    return [Record(FrameType.ACCEPT, payload) for payload in payloads]


def live(directory: Path) -> list[tuple[int, bytes]]:
    """What a new process would find."""
    paths = segment.segments_of(directory)
    found = []
    for index, path in enumerate(paths):
        scanned = segment.read(path)
        if scanned is not None:
            found += [(f.seq, f.payload) for f in segment.counted(scanned, segment.next_base(paths, index))]
    return found


def test_groups_get_consecutive_numbers(tmp_path: Path) -> None:
    """The first record of a group has the returned number and the others follow."""
    made = writer(tmp_path, Disk(), FakeClock())

    assert made.commit(group(b"a", b"b")) == 1
    assert made.commit(group(b"c")) == 3
    assert made.acked == 3
    assert live(tmp_path) == [(1, b"a"), (2, b"b"), (3, b"c")]


def test_an_fsync_error_poisons_the_segment(tmp_path: Path) -> None:
    """The group is written again to a fresh segment, the bad one is never synced again, nothing is there twice (F28)."""
    disk = Disk()
    made = writer(tmp_path, disk, FakeClock())
    made.commit(group(b"a"))
    disk.failures = 1

    assert made.commit(group(b"b", b"c")) == 2
    assert made.commit(group(b"d")) == 4
    assert len(segment.segments_of(tmp_path)) == 2
    assert disk.again == set()
    assert made.error == ""
    assert live(tmp_path) == [(1, b"a"), (2, b"b"), (3, b"c"), (4, b"d")]


def test_when_the_fresh_segment_fails_too_the_group_is_refused(tmp_path: Path) -> None:
    """No false acknowledgement; what was acknowledged before stays; the refused does not come back (F28)."""
    disk, clock = Disk(), FakeClock()
    made = writer(tmp_path, disk, clock)
    made.commit(group(b"a"))
    disk.failures = 2

    with pytest.raises(JournalUnavailable, match="Input/output"):
        made.commit(group(b"refused"))

    assert made.error == "Input/output error"
    clock.advance(0.25)
    assert made.commit(group(b"d")) == 3
    assert made.error == ""
    assert live(tmp_path) == [(1, b"a"), (3, b"d")]


def test_a_broken_disk_is_not_tried_for_every_record(tmp_path: Path) -> None:
    """During the pause groups are refused at once, without touching the disk."""
    disk, clock = Disk(), FakeClock()
    made = writer(tmp_path, disk, clock)
    disk.failures = 1
    with pytest.raises(JournalUnavailable):
        made.commit(group(b"a"))
    clock.advance(0.2)

    with pytest.raises(JournalUnavailable):
        made.commit(group(b"b"))

    assert segment.segments_of(tmp_path) == []
    clock.advance(0.1)
    assert made.commit(group(b"c")) == 3


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    """Segments roll over at their size and none of the records is lost."""
    made = writer(tmp_path, Disk(), FakeClock(), segment_bytes=300)
    for n in range(10):
        made.commit(group(b"%03d" % n * 40))
    made.close()

    assert len(segment.segments_of(tmp_path)) == 5
    assert [seq for seq, _ in live(tmp_path)] == list(range(1, 11))


def test_only_what_was_acknowledged_can_be_read(tmp_path: Path) -> None:
    """While a poisoned segment is still the newest, its unacknowledged end does not count."""
    disk = Disk()
    made = writer(tmp_path, disk, FakeClock())
    made.commit(group(b"a"))
    path = segment.segments_of(tmp_path)[0]
    acknowledged = path.stat().st_size
    disk.failures = 2
    with pytest.raises(JournalUnavailable):
        made.commit(group(b"refused"))

    assert path.stat().st_size > acknowledged
    assert made.readable(path) == acknowledged
    assert made.readable(tmp_path / "j00000099.seg") is None


def test_closing_after_a_failure_voids_what_was_refused(tmp_path: Path) -> None:
    """A record that was refused just before the stop does not come back in the next process."""
    disk = Disk()
    made = writer(tmp_path, disk, FakeClock())
    made.commit(group(b"a"))
    disk.failures = 2
    with pytest.raises(JournalUnavailable):
        made.commit(group(b"refused"))

    made.close()

    assert live(tmp_path) == [(1, b"a")]
    assert writer(tmp_path, Disk(), FakeClock()).commit(group(b"b")) == 3


def test_closing_on_a_dead_disk(tmp_path: Path) -> None:
    """Closing never fails."""
    disk = Disk()
    made = writer(tmp_path, disk, FakeClock())
    disk.failures = 2
    with pytest.raises(JournalUnavailable):
        made.commit(group(b"refused"))

    made.close()

    assert segment.segments_of(tmp_path) == []


def test_a_new_process_goes_on(tmp_path: Path) -> None:
    """Numbers go on after a restart, in a new segment of the next epoch."""
    first = writer(tmp_path, Disk(), FakeClock())
    first.commit(group(b"a", b"b"))
    first.close()

    assert writer(tmp_path, Disk(), FakeClock()).commit(group(b"c")) == 3
    found = segment.read(segment.segments_of(tmp_path)[-1])
    assert found is not None
    assert found.header is not None
    assert (found.header.epoch, found.header.base) == (2, 3)
