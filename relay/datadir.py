"""The data directory: made private, and guarded by one lock per role so that no two relays share it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from relay.errors import ConfigError, DataDirInUse


def prepare(path: Path) -> Path:
    """Make the data directory (mode 0700) if it is not there, and return it as an absolute path.

    Raises:
        ConfigError: it cannot be made, is not a directory, or cannot be written to.
    """
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"data_dir {path} cannot be made: {error.strerror}. Choose another data_dir.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigError(f"data_dir {path} cannot be written to by this user. Change its owner or choose another.")
    return path


class RoleLock:
    """The right to play one role (``api``, ``worker-1`` …) on a data directory, held until closed or the process ends.

    The lock is the kernel's (flock), so that ``kill -9`` leaves nothing to clean up; the file holds the owner's
    process id only to name it.
    """

    def __init__(self, data_dir: Path, role: str) -> None:
        """Take the lock at once.

        Raises:
            DataDirInUse: another process has it; the message names that process.
            ConfigError: the lock file cannot be made.
        """
        self.path = data_dir / f"{role}.lock"
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(f"the lock {self.path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise DataDirInUse(
                f"another relay (process {owner}) already runs as {role} on the data directory {data_dir}. "
                "Stop it first, or give this one a data_dir of its own."
            ) from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Give the role back; harmless when done twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
