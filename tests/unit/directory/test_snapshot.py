"""Snapshots: written whole or not at all, read only when they are sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest

from relay.directory.index import Index
from relay.directory.recipient import Recipient
from relay.directory.snapshot import Snapshot, read, write

Make = Callable[..., Recipient]


@pytest.fixture
def written(tmp_path: Path, make: Make) -> Path:
    index = Index()
    for ordinal in range(50):
        index.upsert(
            ordinal,
            make(f"r{ordinal}", groups=["a", f"g{ordinal % 3}"], geocodes=[{"scheme": "ISO3166-2", "value": "KZ-75"}]),
            denied=ordinal % 2,
        )
    path = tmp_path / "index.npz"
    write(path, Snapshot(state=index.dump(), epoch="e1", position="17-0"))
    return path


def test_what_was_written_comes_back(written: Path) -> None:
    """The index, its epoch and its position survive; the file is the operator's own and no other is left."""
    snapshot = read(written)

    assert snapshot is not None
    index = Index.restore(snapshot.state)
    assert (snapshot.epoch, snapshot.position, len(index)) == ("e1", "17-0", 50)
    assert np.flatnonzero(index.in_groups(["g1"])).tolist() == list(range(1, 50, 3))
    assert index.in_places({("iso3166-2", "KZ-75")}).all()
    assert index.columns.denied.tolist() == [0, 1] * 25
    assert written.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in written.parent.iterdir()] == ["index.npz"]


def test_empty_index(tmp_path: Path) -> None:
    """An index without anybody is a snapshot too."""
    write(tmp_path / "i", Snapshot(state=Index().dump(), epoch="", position="0-0"))

    snapshot = read(tmp_path / "i")

    assert snapshot is not None
    assert len(Index.restore(snapshot.state)) == 0


def test_no_file(tmp_path: Path) -> None:
    """The first start has no snapshot."""
    assert read(tmp_path / "none") is None


def test_damage_is_seen(written: Path) -> None:
    """A torn file, a flipped bit anywhere and garbage are no snapshot; nothing half-read is used."""
    whole = written.read_bytes()
    versions = [whole[:n] for n in (0, 1, 100, len(whole) // 2, len(whole) - 1)] + [b"garbage" * 100]
    flipped = [*range(50, len(whole), len(whole) // 40), *range(len(whole) - 300, len(whole), 7)]
    versions += [whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :] for at in flipped]
    sound = read(written)
    assert sound is not None

    for version in versions:
        written.write_bytes(version)
        found = read(written)
        assert found is None or (
            found.state.columns.names.tobytes() == sound.state.columns.names.tobytes()
            and found.state.columns.lat.tobytes() == sound.state.columns.lat.tobytes()
            and found.position == "17-0"
        )


def rewrite(path: Path, **changes: np.ndarray) -> None:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    with path.open("wb") as file:
        np.savez(file, **{**arrays, **changes})


def test_other_version_is_left_alone(written: Path) -> None:
    """A newer relay's snapshot is not guessed at."""
    with np.load(written) as archive:
        meta = orjson.loads(archive["meta"].tobytes())
    rewrite(written, meta=np.frombuffer(orjson.dumps({**meta, "version": 2}), np.uint8))

    assert read(written) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"lat": np.zeros(50, np.float32)},
        {"lat": np.zeros(49)},
        {"names": np.zeros(50, np.uint64)},
        {"groups": np.full(50, 99, np.uint32)},
        {"meta": np.frombuffer(b"{}", np.uint8)},
        {"meta": np.frombuffer(b"{", np.uint8)},
        {"lat": np.array([{"an": "object"}] * 50, dtype=object)},
    ],
    ids=["type", "length", "shape", "number", "keys", "json", "pickle"],
)
def test_columns_that_do_not_fit(written: Path, changes: dict[str, np.ndarray]) -> None:
    """Arrays of another type, length or meaning are no snapshot, and no pickle is ever opened."""
    rewrite(written, **changes)

    assert read(written) is None


def test_failed_write_leaves_the_old_one(written: Path, make: Make) -> None:
    """When the disk refuses, what was there is still there."""
    (written.parent / "index.npz.new").mkdir()

    with pytest.raises(OSError, match="directory"):
        write(written, Snapshot(state=Index().dump(), epoch="e2", position="18-0"))

    kept = read(written)
    assert kept is not None
    assert kept.epoch == "e1"
