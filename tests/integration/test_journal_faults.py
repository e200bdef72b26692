"""The journal against a real full disk, real limits and a real ``kill -9``."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relay.errors import JournalUnavailable
from relay.intake.frames import FrameType
from relay.intake.journal import Journal, JournalLimits

LIMITS = JournalLimits(segment_bytes=64 * 1024, retry_pause=0.0)

APPENDER = """
import asyncio, sys
from pathlib import Path
from relay.intake.frames import FrameType
from relay.intake.journal import Journal, JournalLimits

async def appends(journal, name):
    n = 0
    while True:
        body = f"{name}.{n}.".encode().ljust(700, b"x")
        seq = await journal.append(FrameType.ACCEPT, body)
        sys.stdout.write(f"{seq} {name}.{n}\\n")
        sys.stdout.flush()
        n += 1

async def main():
    journal = Journal.open(Path(sys.argv[1]), node="child", limits=JournalLimits(segment_bytes=200_000))
    async with asyncio.TaskGroup() as tasks:
        for name in range(16):
            tasks.create_task(appends(journal, name), name="appends")

asyncio.run(main())
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here (needs root and the right to mount)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size`` bytes: a real write error without root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def append_until_refused(journal: Journal) -> list[tuple[int, bytes]]:
    """Append until the first refusal and return what was acknowledged."""
    acked: list[tuple[int, bytes]] = []
    while True:
        body = b"%06d" % len(acked) * 500
        try:
            acked.append((await journal.append(FrameType.ACCEPT, body), body))
        except JournalUnavailable:
            return acked


def stored(directory: Path) -> list[tuple[int, bytes]]:
    """What a new process finds."""
    journal = Journal.open(directory, node="n", limits=LIMITS)
    return [(frame.seq, frame.payload) for frame in journal.records()]


async def test_full_disk_refuses_and_heals(small_disk: Path) -> None:
    """A full disk gives refusals and no false acknowledgement; with space again the journal goes on by itself (F27)."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(120 * 1024))
    journal = Journal.open(small_disk / "journal", node="n", limits=LIMITS)
    acked = await append_until_refused(journal)
    refused = []
    for n in range(20):
        with pytest.raises(JournalUnavailable, match="No space"):
            refused.append(await journal.append(FrameType.ACCEPT, b"%06d" % n * 5000))
    while_full = list(journal.records())
    assert journal.status().error == "No space left on device"
    ballast.unlink()

    seq = await journal.append(FrameType.ACCEPT, b"space again")
    await journal.close()

    assert len(acked) > 10
    assert refused == []
    assert [(frame.seq, frame.payload) for frame in while_full] == acked
    assert stored(small_disk / "journal") == [*acked, (seq, b"space again")]
    assert journal.status().error == ""
    assert len(list((small_disk / "journal").iterdir())) <= 5


async def test_full_disk_at_the_start_does_not_stop_the_relay(small_disk: Path) -> None:
    """The journal opens on a full disk and refuses; it accepts as soon as there is space."""
    directory = small_disk / "journal"
    directory.mkdir()
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes(300 * 1024))
    journal = Journal.open(directory, node="n", limits=LIMITS)
    with pytest.raises(JournalUnavailable):
        await journal.append(FrameType.ACCEPT, b"a")
    ballast.unlink()

    seq = await journal.append(FrameType.ACCEPT, b"b")
    await journal.close()

    assert stored(directory) == [(seq, b"b")]


async def test_a_write_that_stops_in_the_middle(tmp_path: Path) -> None:
    """A write that takes only half a record is no record: it goes whole to the next segment."""
    journal = Journal.open(tmp_path, node="n", limits=LIMITS)
    acked = []
    with largest_file(10_000):
        for n in range(30):
            body = b"%06d" % n * 500
            acked.append((await journal.append(FrameType.ACCEPT, body), body))
        with pytest.raises(JournalUnavailable, match="File too large"):
            await journal.append(FrameType.ACCEPT, bytes(20_000))
    await journal.close()

    assert stored(tmp_path) == acked
    assert len(list(tmp_path.iterdir())) == 11  # ten with records, one that voids what was refused


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Every sequence number that the child printed before ``kill -9`` is found afterwards, three times in a row."""
    acked: dict[int, str] = {}
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        assert child.stdout is not None
        for _ in range(3000):
            seq, name = child.stdout.readline().split()
            acked[int(seq)] = name
        os.kill(child.pid, signal.SIGKILL)
        lines = child.stdout.read().split("\n")
        acked |= {int(seq): name for seq, _, name in (line.partition(" ") for line in lines[:-1])}
        child.wait()
        child.stdout.close()

    found = {seq: payload.split(b".x")[0].decode() for seq, payload in stored(tmp_path)}

    assert len(acked) >= 9000
    assert {seq: found.get(seq) for seq in acked} == acked
