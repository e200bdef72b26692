"""The journal's segments: numbered files of frames in one directory."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relay.intake.frames import HEADER_BYTES, MARKER_BYTES, Frame, Header, Scan, decode_header, scan

Sync = Callable[[int], None]

SUFFIX = ".seg"
DAMAGED = ".damaged"
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WRITE_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)


@dataclass(slots=True)
class OpenSegment:
    """The segment being written; ``synced`` is the size that fsync has confirmed."""

    path: Path
    fd: int
    header: Header
    synced: int


def segments_of(directory: Path) -> list[Path]:
    """Return the segments of a directory, oldest first."""
    return sorted(directory.glob(f"j????????{SUFFIX}"))


def number_of(path: Path) -> int:
    """Return the number in a segment's name."""
    return int(path.stem[1:])


def path_of(directory: Path, number: int) -> Path:
    """Return the name of segment ``number``; names sort like numbers."""
    return directory / f"j{number:08d}{SUFFIX}"


def create(path: Path, *, node: str, epoch: int, base: int, sync: Sync) -> OpenSegment:
    """Make a new segment durable: the file with its header (mode 0600), and its name in the directory.

    Raises:
        OSError: it could not be made; nothing is left behind.
    """
    header = Header(node=node, epoch=epoch, base=base, marker=secrets.token_bytes(MARKER_BYTES))
    fd = os.open(path, _WRITE_NEW, 0o600)
    try:
        write_all(fd, header.encode())
        sync(fd)
        sync_directory(path.parent)
    except OSError:
        os.close(fd)
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    return OpenSegment(path=path, fd=fd, header=header, synced=HEADER_BYTES)


def write_all(fd: int, content: bytes) -> None:
    """Write every byte; the system may take fewer at a time.

    Raises:
        OSError: the disk is full, or broken.
    """
    left = memoryview(content)
    while left:
        left = left[os.write(fd, left) :]


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: the disk is broken.
    """
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read(path: Path, *, limit: int | None = None) -> Scan | None:
    """Scan a segment, or only its first ``limit`` bytes; None when it was removed in the meantime.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return scan(file.read(-1 if limit is None else limit))
    except FileNotFoundError:
        return None


def base_of(path: Path) -> int | None:
    """Return the ``base`` of a segment's header, None when it has no good header or was removed."""
    try:
        with path.open("rb") as file:
            header = decode_header(file.read(HEADER_BYTES))
    except FileNotFoundError:
        return None
    return header.base if header is not None else None


def next_base(paths: list[Path], index: int) -> int | None:
    """Return the ``base`` of the first segment after ``index`` that has a good header."""
    for path in paths[index + 1 :]:
        base = base_of(path)
        if base is not None:
            return base
    return None


def counted(found: Scan, base: int | None) -> tuple[Frame, ...]:
    """Return the frames that count: those at or above the next segment's ``base`` were written again, or refused."""
    if base is None:
        return found.frames
    return tuple(frame for frame in found.frames if frame.seq < base)


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a journal goes on: the next sequence number, epoch and segment number."""

    seq: int
    epoch: int
    number: int


def ending_of(paths: list[Path]) -> Ending:
    """Return where a journal with these segments goes on.

    Every header's ``base`` is below the numbers of later segments, so only the youngest segments are read whole.

    Raises:
        OSError: a segment cannot be read.
    """
    seq, epoch = 1, 0
    frames_seen = False
    for path in reversed(paths):
        if frames_seen:
            header_epoch, base = _header_facts(path)
            epoch, seq = max(epoch, header_epoch), max(seq, base)
            continue
        found = read(path)
        if found is None:
            continue
        if found.header is not None:
            epoch, seq = max(epoch, found.header.epoch), max(seq, found.header.base)
        if found.frames:
            frames_seen = True
            seq = max(seq, found.frames[-1].seq + 1)
    return Ending(seq=seq, epoch=epoch + 1, number=number_of(paths[-1]) + 1 if paths else 1)


def _header_facts(path: Path) -> tuple[int, int]:
    with path.open("rb") as file:
        header = decode_header(file.read(HEADER_BYTES))
    return (header.epoch, header.base) if header is not None else (0, 1)


def abandon(poisoned: OpenSegment, error: OSError) -> None:
    """Leave a segment that could not be written; nothing here may fail.

    A segment without one acknowledged record goes.  After a full disk the unacknowledged bytes are cut off, so that
    what was refused does not come back; after any other error the file is not touched again.
    """
    with contextlib.suppress(OSError):
        if poisoned.synced == HEADER_BYTES:
            poisoned.path.unlink()
        elif error.errno in _NO_SPACE:
            os.ftruncate(poisoned.fd, poisoned.synced)
    with contextlib.suppress(OSError):
        os.close(poisoned.fd)
