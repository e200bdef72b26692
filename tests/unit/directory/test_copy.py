"""The node's copy of the directory: what is in it is found again, whatever happened to its end."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relay.directory.copy import Copy, Row

ROWS = {number: Row(0, b'{"id":"person-%d"}' % number) for number in range(3)}
FILE = "directory.ndjson"


async def written(folder: Path) -> Copy:
    copy = Copy(folder)
    await copy.write(ROWS, epoch="one", position="1-0")
    return copy


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond ``room`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_rows_are_found_again(tmp_path: Path) -> None:
    """Rows, denied slots, epoch and position come back; a later line replaces an earlier one."""
    copy = await written(tmp_path)
    await copy.add({1: Row(2, b'{"id":"other"}')}, position="2-0", durable=True)
    again = Copy(tmp_path)
    rows = again.read()

    assert rows == ROWS | {1: Row(2, b'{"id":"other"}')}
    assert (again.epoch, again.position, again.torn) == ("one", "2-0", False)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


async def test_missing_file_is_an_empty_copy(tmp_path: Path) -> None:
    """A node that is new has no copy, no epoch and nothing torn."""
    copy = Copy(tmp_path)

    assert copy.read() == {}
    assert (copy.epoch, copy.position, copy.torn) == ("", "", False)


@pytest.mark.parametrize("cut", [1, 2, 10])
async def test_torn_end_is_noticed(tmp_path: Path, cut: int) -> None:
    """After a power cut in a write the file is written anew before anything is appended to half a line."""
    copy = await written(tmp_path)
    await copy.add({7: Row(0, b'{"id":"seven"}')}, position="2-0", durable=False)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-cut])
    again = Copy(tmp_path)
    rows = again.read()

    assert rows.keys() >= ROWS.keys()
    assert again.torn
    assert again.bloated


async def test_end_of_the_file_says_enough_for_a_start(tmp_path: Path) -> None:
    """A start with a million recipients does not read them: epoch, position and size stand at the end."""
    copy = await written(tmp_path)
    for number in range(20):
        await copy.add({number: Row(0, b'{"id":"%d"}' % number)}, position=f"{number}-0", durable=False)
    quick, thorough = Copy(tmp_path), Copy(tmp_path)
    thorough.read()

    assert quick.look()
    assert (quick.epoch, quick.position, quick.torn) == ("one", "19-0", False)
    assert (quick.epoch, quick.position, quick._lines) == (thorough.epoch, thorough.position, thorough._lines)
    assert Copy(tmp_path / "new").look()


@pytest.mark.parametrize(
    "end", [b'{"o":1,"d":0,"r":{}}\n', b'{"o":1', b'{"v":1,"epoch":"one","position":"1-0"}\n', b"\n"]
)
async def test_end_that_says_too_little(tmp_path: Path, end: bytes) -> None:
    """A torn file, and one of an older relay, is read whole."""
    await written(tmp_path)
    with (tmp_path / FILE).open("ab") as file:
        file.write(end)

    assert not Copy(tmp_path).look()


async def test_damaged_line_costs_itself_only(tmp_path: Path) -> None:
    """Whoever stands behind a damaged line is not forgotten with it, and the file is written anew."""
    copy = await written(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole.replace(b'"person-1"', b'"person-1'))
    rows = copy.read()

    assert rows.keys() == {0, 2}
    assert copy.torn


async def test_full_disk_loses_nothing(tmp_path: Path) -> None:
    """An append that fails does not move on, and the next whole file heals the half line it left."""
    copy = await written(tmp_path)
    size = (tmp_path / FILE).stat().st_size
    with full_disk(size + 10), pytest.raises(OSError, match="File too large"):
        await copy.add({7: Row(0, b'{"id":"seven"}')}, position="2-0", durable=False)
    torn, position = copy.torn, copy.position
    await copy.write(ROWS, epoch="one", position="2-0")

    assert torn
    assert position == "1-0"
    assert not copy.torn
    assert Copy(tmp_path).read() == ROWS


async def test_whole_file_that_does_not_fit_leaves_the_old_one(tmp_path: Path) -> None:
    """Nothing of the copy is lost to an attempt to write a larger one."""
    copy = await written(tmp_path)
    with full_disk(20), pytest.raises(OSError, match="File too large"):
        await copy.write(ROWS, epoch="two", position="3-0")

    assert copy.epoch == "one"
    assert Copy(tmp_path).read() == ROWS
