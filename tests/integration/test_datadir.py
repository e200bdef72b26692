"""The data directory: private, and never shared by two relays."""

import subprocess
import sys
from pathlib import Path

import pytest

from relay.datadir import RoleLock, prepare
from relay.errors import ConfigError, DataDirInUse

HOLDER = """
import pathlib, sys
from relay.datadir import RoleLock
lock = RoleLock(pathlib.Path(sys.argv[1]), "api")
print("held", flush=True)
sys.stdin.read()
"""


def test_directory_is_made_private(tmp_path: Path) -> None:
    """Nobody else on the machine may look into the data directory."""
    path = prepare(tmp_path / "deep" / "var")

    assert path.is_absolute()
    assert path.stat().st_mode & 0o777 == 0o700


def test_file_in_the_way_is_explained(tmp_path: Path) -> None:
    """A data_dir that cannot be a directory is a sentence for the operator, not a traceback."""
    (tmp_path / "var").write_text("")
    with pytest.raises(ConfigError, match="data_dir"):
        prepare(tmp_path / "var")


def test_second_relay_is_refused_by_name(tmp_path: Path) -> None:
    """A second relay on the same data directory is refused, and told which process has it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataDirInUse) as caught:
            RoleLock(tmp_path, "api")
        holder.communicate()

    assert f"process {holder.pid})" in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_killed_relay_leaves_no_lock(tmp_path: Path) -> None:
    """After ``kill -9`` the next relay starts without any cleaning up."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
        holder.communicate()

    RoleLock(tmp_path, "api").close()


def test_roles_do_not_hinder_each_other(tmp_path: Path) -> None:
    """The API process and its workers share the directory, each by its own lock."""
    with RoleLock(tmp_path, "api"), RoleLock(tmp_path, "worker-1"), pytest.raises(DataDirInUse):
        RoleLock(tmp_path, "worker-1")


def test_lock_is_given_back(tmp_path: Path) -> None:
    """A relay that stopped can be started again in the same process."""
    lock = RoleLock(tmp_path, "api")
    lock.close()
    lock.close()

    RoleLock(tmp_path, "api").close()
