"""What the introduction reads from the relay."""

from __future__ import annotations

from pathlib import Path

from relay.demo.beginning import fsync_of, server_of


def test_server(tmp_path: Path) -> None:
    """The database is named as the status says it, else as the log does, else not at all."""
    log = tmp_path / "relay.log"
    log.write_text('{"time":"…","level":"info","event":"redis_started","server":"Valkey 9.1.2","path":"x"}\n')
    empty = tmp_path / "empty.log"
    empty.touch()

    assert server_of({"redis": {"server": "Redis 7.2.4"}}, log) == "own Redis 7.2.4"
    assert server_of({"redis": {"available": True}}, log) == "own Valkey 9.1.2"
    assert server_of({}, empty) == "own database"


def test_fsync() -> None:
    """One fsync is shown in milliseconds, and nothing is invented where none was measured."""
    assert fsync_of({"journal": {"fsync_ms": {"p50": 0.31}}}) == "one fsync 0.3 ms"
    assert fsync_of({"journal": {}}) == "fsynced"
