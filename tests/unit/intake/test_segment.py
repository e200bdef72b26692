"""The journal's segments on disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from relay.intake import segment
from relay.intake.frames import HEADER_BYTES, Frame, FrameType, encode_frame


def write(directory: Path, number: int, *, base: int, seqs: list[int], epoch: int = 1) -> Path:
    """Write a finished segment and return its path."""
    made = segment.create(segment.path_of(directory, number), node="n", epoch=epoch, base=base, sync=os.fdatasync)
    for seq in seqs:
        segment.write_all(
            made.fd, encode_frame(made.header.marker, seq=seq, frame_type=FrameType.MARK, payload=b"%d" % seq)
        )
    os.close(made.fd)
    return made.path


def test_a_new_segment_is_private_and_has_its_header(tmp_path: Path) -> None:
    """Alerts may name people: a segment is readable by the relay's user only."""
    path = write(tmp_path, 1, base=7, seqs=[])

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size == HEADER_BYTES
    assert segment.base_of(path) == 7


def test_each_segment_has_its_own_marker(tmp_path: Path) -> None:
    """A marker seen in one segment does not help to imitate frames in the next."""
    found = [segment.read(write(tmp_path, n, base=1, seqs=[])) for n in (1, 2)]
    headers = [scan.header for scan in found if scan is not None and scan.header is not None]

    assert len({header.marker for header in headers}) == 2


def test_a_failed_creation_leaves_nothing(tmp_path: Path) -> None:
    """When the header cannot be synced, no half-made segment stays behind."""

    def broken(_fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        segment.create(segment.path_of(tmp_path, 1), node="n", epoch=1, base=1, sync=broken)

    assert list(tmp_path.iterdir()) == []


def test_names_sort_like_numbers(tmp_path: Path) -> None:
    """Segments are listed oldest first, and other files are left alone."""
    for number in (10, 9, 2):
        write(tmp_path, number, base=1, seqs=[])
    (tmp_path / "j00000001.seg.damaged").touch()

    assert [segment.number_of(path) for path in segment.segments_of(tmp_path)] == [2, 9, 10]


def test_reading_a_part_and_reading_what_is_gone(tmp_path: Path) -> None:
    """Only the synced part of a segment is read when asked; a removed one is nothing to worry about."""
    path = write(tmp_path, 1, base=1, seqs=[1, 2])
    found = segment.read(path, limit=path.stat().st_size - 1)

    assert found is not None
    assert [frame.seq for frame in found.frames] == [1]
    assert segment.read(tmp_path / "gone.seg") is None
    assert segment.base_of(tmp_path / "gone.seg") is None


def test_frames_that_were_written_again_do_not_count(tmp_path: Path) -> None:
    """The next segment's base makes the unacknowledged end of the one before it void."""
    paths = [write(tmp_path, 1, base=1, seqs=[1, 2, 3]), write(tmp_path, 2, base=3, seqs=[3, 4])]
    found = segment.read(paths[0])

    assert found is not None
    assert segment.next_base(paths, 0) == 3
    assert segment.next_base(paths, 1) is None
    assert [frame.seq for frame in segment.counted(found, 3)] == [1, 2]
    assert segment.counted(found, None) == found.frames


def test_where_an_empty_journal_begins(tmp_path: Path) -> None:
    """Sequence numbers, epochs and segments count from 1."""
    assert segment.ending_of(segment.segments_of(tmp_path)) == segment.Ending(seq=1, epoch=1, number=1)


def test_where_a_journal_goes_on(tmp_path: Path) -> None:
    """A new process goes on above every number that was ever seen, also above refused ones."""
    write(tmp_path, 4, base=1, seqs=[1, 2, 3], epoch=5)
    write(tmp_path, 5, base=2, seqs=[], epoch=2)

    assert segment.ending_of(segment.segments_of(tmp_path)) == segment.Ending(seq=4, epoch=6, number=6)


def test_numbers_survive_when_only_the_header_is_left(tmp_path: Path) -> None:
    """When all older segments are retired, the newest header still knows where to go on."""
    write(tmp_path, 9, base=1000, seqs=[])

    assert segment.ending_of(segment.segments_of(tmp_path)).seq == 1000


@pytest.mark.parametrize(("number", "kept"), [(errno.ENOSPC, 0), (errno.EIO, 4)])
def test_abandoning_after_a_failure(tmp_path: Path, number: int, kept: int) -> None:
    """After a full disk the refused bytes are cut off; after an I/O error the file is not touched again."""
    made = segment.create(tmp_path / "j00000001.seg", node="n", epoch=1, base=1, sync=os.fdatasync)
    segment.write_all(made.fd, b"acked")
    made.synced += 5
    segment.write_all(made.fd, b"lost")

    segment.abandon(made, OSError(number, "failed"))

    assert made.path.stat().st_size == made.synced + kept
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(made.fd)


def test_abandoning_a_segment_without_records(tmp_path: Path) -> None:
    """A fresh segment that never held an acknowledged record goes, so that retries on a full disk leave no litter."""
    made = segment.create(tmp_path / "j00000001.seg", node="n", epoch=1, base=1, sync=os.fdatasync)

    segment.abandon(made, OSError(errno.EIO, "failed"))

    assert list(tmp_path.iterdir()) == []


def test_a_frame_is_what_was_written(tmp_path: Path) -> None:
    """Reading gives back sequence number, type and payload."""
    found = segment.read(write(tmp_path, 1, base=5, seqs=[5]))

    assert found is not None
    assert found.frames == (Frame(seq=5, type=FrameType.MARK, payload=b"5"),)
