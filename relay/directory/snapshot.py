"""The index on disk, so that a start with a million recipients need not read them all from Redis."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import orjson

from relay.directory.columns import Columns
from relay.directory.index import State

_VERSION: Final = 1
_META: Final = "meta"
_INTERNED: Final = ("languages", "groups", "geocodes", "reach")

# What a flipped bit makes of a zip archive, an array's header or the JSON: other methods, impossible sizes, no end.
_DAMAGE: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    RuntimeError,
    EOFError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An index, the directory (``epoch``) it is of and the last change (``position``) that is in it."""

    state: State
    epoch: str
    position: str


def write(path: Path, snapshot: Snapshot) -> None:
    """Replace the file at ``path``, atomically and durably; blocks, so run it in a thread.

    The file is a numpy archive without pickles: an array for each column, and ``meta`` with JSON.

    Raises:
        OSError: the disk refuses; the file that was there stays.
    """
    state = snapshot.state
    meta = {
        "version": _VERSION,
        "epoch": snapshot.epoch,
        "position": snapshot.position,
        **{name: getattr(state, name) for name in _INTERNED},
    }
    arrays = {field.name: getattr(state.columns, field.name) for field in fields(Columns)}
    fresh = path.with_name(path.name + ".new")
    with open(fresh, "wb", opener=_private) as file:
        np.savez(file, **{_META: np.frombuffer(orjson.dumps(meta), np.uint8), **arrays})
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read(path: Path) -> Snapshot | None:
    """Return what was written, or None when there is no file, or none that this version can use.

    The index can always be read from Redis again, so damage is no error; every array's checksum is compared.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError:
        return None
    except _DAMAGE:
        return None


def _read(file: IO[bytes]) -> Snapshot | None:
    with np.load(file, allow_pickle=False) as archive:
        meta = orjson.loads(archive[_META].tobytes())
        if meta["version"] != _VERSION:
            return None
        columns = Columns(**{field.name: archive[field.name] for field in fields(Columns)})
    model = Columns.empty()
    for field in fields(Columns):
        array, expected = getattr(columns, field.name), getattr(model, field.name)
        if array.dtype != expected.dtype or array.ndim != expected.ndim or len(array) != len(columns):
            return None
    interned = {name: [_tuple(value) for value in meta[name]] for name in _INTERNED}
    if any(len(columns) and int(getattr(columns, name).max()) >= len(values) for name, values in interned.items()):
        return None
    return Snapshot(state=State(columns=columns, **interned), epoch=meta["epoch"], position=meta["position"])


def _tuple(value: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in value)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
