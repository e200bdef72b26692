"""The demo's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.demo.faults import NoStage
from relay.demo.folder import take


def test_what_the_last_run_left_is_wiped(tmp_path: Path) -> None:
    """The second run begins with an empty folder, and a link in it is removed without following it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    folder = tmp_path / "var" / "demo"
    take(folder).close()
    (folder / "data").mkdir()
    (folder / "data" / "journal").touch()
    (folder / "link").symlink_to(outside)
    take(folder).close()

    assert [path.name for path in folder.iterdir()] == ["demo.lock"]
    assert (outside / "kept").exists()


def test_other_files_are_never_wiped(tmp_path: Path) -> None:
    """A folder with files that no demo made is left alone."""
    (tmp_path / "precious").touch()

    with pytest.raises(NoStage, match="no demo made"):
        take(tmp_path)
    assert (tmp_path / "precious").exists()


def test_one_demo_at_a_time(tmp_path: Path) -> None:
    """While a demo runs, a second one is refused and wipes nothing."""
    lock = take(tmp_path)
    (tmp_path / "relay.log").touch()
    with pytest.raises(NoStage, match="another demo runs"):
        take(tmp_path)
    lock.close()

    assert (tmp_path / "relay.log").exists()


def test_a_file_in_its_place(tmp_path: Path) -> None:
    """A path that cannot be a folder is refused with a sentence."""
    (tmp_path / "demo").touch()

    with pytest.raises(NoStage, match="cannot be used"):
        take(tmp_path / "demo")
