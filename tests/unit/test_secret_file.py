"""Secrets from files: what is there is returned, what is wrong is said with the setting's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.errors import ConfigError
from relay.secret_file import read_secret


def test_blanks_around_a_secret_do_not_count(tmp_path: Path) -> None:
    """An editor's last line end is no part of a password."""
    file = tmp_path / "redis.url"
    file.write_text(" rediss://relay:secret@one.example \n")

    assert read_secret(str(file), setting="redis.url_file") == "rediss://relay:secret@one.example"


@pytest.mark.parametrize(("held", "why"), [(None, "cannot be read"), (b"\n", "is empty"), (b"\xff", "not text")])
def test_what_is_no_secret_says_so(tmp_path: Path, held: bytes | None, why: str) -> None:
    """The operator reads which setting names which file, and what is wrong with it."""
    file = tmp_path / "secret"
    if held is not None:
        file.write_bytes(held)
    with pytest.raises(ConfigError, match=f"ack_secret_file: {file} .*{why}"):
        read_secret(str(file), setting="ack_secret_file")
