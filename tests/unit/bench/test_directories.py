"""The directory of a million is copied without what belongs to its old place."""

from __future__ import annotations

from pathlib import Path

from bench.directories import city, copy, town
from bench.sizes import QUICK


async def test_sockets_and_their_record_stay_behind(tmp_path: Path) -> None:
    """The record names a socket by its whole path: a relay that read it would look in the wrong folder."""
    redis = tmp_path / "old" / "data" / "redis"
    redis.mkdir(parents=True)
    for name in ("server.json", "redis.sock", "appendonly.aof"):
        (redis / name).write_text(name, encoding="utf-8")
    (tmp_path / "old" / "relay.toml").touch()
    await copy(tmp_path / "old", tmp_path / "new")

    assert [path.name for path in (tmp_path / "new").rglob("*") if path.is_file()] == ["appendonly.aof"]


def test_a_part_of_the_million_lives_elsewhere() -> None:
    """About one in a hundred; the others are apart from both."""
    assert 0.5 < city(QUICK).elsewhere / (city(QUICK).count / 100) < 2
    assert town(QUICK).place not in (city(QUICK).place, city(QUICK).other)
