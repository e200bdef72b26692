"""Files that commands are given, and standard input."""

import io
import os
from pathlib import Path

import pytest

from relay.commands.failures import Failed
from relay.commands.input_file import opened, read_bytes, size
from tests.unit.commands.conftest import Run


def test_missing_file_is_wrong_usage(cli: Run) -> None:
    """A mistyped name is told apart from a refused alert."""
    ran = cli("send", "none.xml")

    assert ran.code == 2
    assert "there is no file none.xml" in ran.err


def test_directory_is_wrong_usage(cli: Run, tmp_path: Path) -> None:
    """A folder is no alert."""
    assert "is no file" in cli("send", str(tmp_path)).err


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``-`` reads what is piped in, as bytes, and leaves it open."""
    path = tmp_path / "in"
    path.write_bytes(b"\xff\n")
    with path.open() as file:
        monkeypatch.setattr("sys.stdin", file)

        assert size(Path("-")) is None
        assert read_bytes(Path("-")) == b"\xff\n"
        assert not file.closed


def test_size_is_known_for_a_progress_bar(tmp_path: Path) -> None:
    """A file has a size."""
    (tmp_path / "a").write_bytes(b"12345")

    assert size(tmp_path / "a") == 5
    with opened(tmp_path / "a") as file:
        assert isinstance(file, io.BufferedReader)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_a_sentence(tmp_path: Path) -> None:
    """No permission is not a traceback."""
    (tmp_path / "a").touch(mode=0)
    with pytest.raises(Failed, match="cannot be read"):
        read_bytes(tmp_path / "a")


def test_file_that_vanished_is_a_sentence(tmp_path: Path) -> None:
    """Between the check and the reading a file can go."""
    with pytest.raises(Failed, match="cannot be read"):
        read_bytes(tmp_path / "gone")
