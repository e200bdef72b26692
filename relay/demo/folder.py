"""The demo's folder: one run at a time, wiped at the start, and never anybody else's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from relay.datadir import RoleLock
from relay.demo.faults import NoStage
from relay.errors import ConfigError, DataDirInUse

_ROLE: Final = "demo"
_LOCK: Final = f"{_ROLE}.lock"


def take(folder: Path) -> RoleLock:
    """Make or wipe ``folder`` and return the lock on it.

    Raises:
        NoStage: another demo uses it, it holds what no demo made, or it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        others = [path for path in folder.iterdir() if path.name != _LOCK]
        if others and not (folder / _LOCK).exists():
            raise NoStage(f"{folder} holds files that no demo made. Move them away, or start elsewhere.")
        lock = RoleLock(folder, _ROLE)
    except DataDirInUse as error:
        raise NoStage(f"another demo runs in {folder}. End it first (Ctrl-C in its window).") from error
    except (ConfigError, OSError) as error:
        raise NoStage(f"{folder} cannot be used: {error}") from error
    try:
        _wipe(others)
    except OSError as error:
        lock.close()
        raise NoStage(f"{folder} cannot be wiped: {error}") from error
    return lock


def _wipe(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
