"""The private server's directory: socket, record of who made the files, log, lock, and files set aside."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Any

import orjson

from relay.errors import ConfigError
from relay.store.server_choice import Server

LONGEST_SOCKET_PATH = 103
"""Bytes that fit into a socket address everywhere (Linux takes 107)."""

_LOG_LIMIT = 8 * 1024 * 1024
_UNREADABLE = (
    "bad file format",
    "aof manifest",
    "can't handle rdb format",
    "reading the append only file",
    "unable to obtain the aof file",
    "internal error in rdb reading",
    "rdb crc error",
    "wrong signature trying to load",
)
_NOT_THEIR_FAULT = ("permission denied", "no space left", "too many open files", "cannot allocate memory")


class ServerFiles:
    """Everything the private server keeps in ``<data_dir>/redis``, a directory that only this user may enter.

    That directory is what protects the server: whoever could read its password file could enter it too, so there
    is no password.
    """

    def __init__(self, data_dir: Path) -> None:
        self.folder = data_dir.absolute() / "redis"
        self.log = self.folder / "server.log"
        self.rows = self.folder / "appendonlydir"
        self._record = self.folder / "server.json"
        self._pid = self.folder / "server.pid"
        self._lock = self.folder / "server.lock"

    def prepare(self) -> None:
        """Make the directory, private.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be made private: {error.strerror}") from error

    @property
    def socket(self) -> Path:
        """The server's socket: in the directory, or where the record says when that path is too long.

        A directory that was copied or moved brings a record that speaks of another place, where the server of another
        relay may be running: it is not believed.
        """
        near = self.folder / "redis.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
            return near
        record = self._read_record()
        recorded = record.get("socket")
        mine = record.get("folder", str(self.folder)) == str(self.folder)
        return Path(recorded) if mine and isinstance(recorded, str) else near

    def made(self) -> Server | None:
        """Return the server that wrote the files here; None when there are no files or nobody knows."""
        record = self._read_record()
        if not self.rows.is_dir() or "version" not in record:
            return None
        major, minor, patch = record["version"]
        return Server(family=record["family"], version=(major, minor, patch), path=Path(record["path"]))

    def note(self, server: Server) -> None:
        """Record, before it touches anything, which server works on these files, and where its socket is."""
        socket = self._place_socket()
        record = {
            "format": 1,
            "family": server.family,
            "version": server.version,
            "path": str(server.path),
            "socket": str(socket),
            "folder": str(self.folder),
        }
        draft = self._record.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(orjson.dumps(record))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._record)

    def take_lock(self) -> int | None:
        """Return a descriptor that holds the server's lock, to be inherited by it; None when a server has it."""
        fd = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return None
        return fd

    def write_pid(self, pid: int) -> None:
        """Note the server's process id for a later relay that finds it still alive."""
        self._pid.write_text(f"{pid}\n", encoding="ascii")

    def old_pid(self) -> int | None:
        """Return the process id of the last server, if that process is still a server on these files."""
        try:
            pid = int(self._pid.read_text(encoding="ascii"))
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self.folder) in words else None

    def open_log(self) -> int:
        """Open the server's log for appending; a long one becomes ``server.log.1`` first."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def set_aside(self) -> Path:
        """Move files that no server can read out of the way, never deleting them; return where they are now."""
        number = 1
        while (target := self.folder / f"appendonlydir.unreadable-{number}").exists():
            number += 1
        self.rows.replace(target)
        return target

    def keep_socket_place(self) -> None:
        """Make the socket's directory again when something that tidies temporary files has removed it."""
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)

    def forget_socket(self) -> None:
        """Remove the socket, and its directory when it had one of its own."""
        socket = self.socket
        socket.unlink(missing_ok=True)
        if socket.parent != self.folder and socket.parent.is_dir():
            socket.parent.rmdir()

    def _place_socket(self) -> Path:
        near = self.folder / "redis.sock"
        if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH:
            return near
        recorded = self.socket
        if recorded != near and _is_private(recorded.parent):
            return recorded
        return Path(tempfile.mkdtemp(prefix="chapar-")) / "redis.sock"

    def _read_record(self) -> dict[str, Any]:
        try:
            record = orjson.loads(self._record.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return {}
        return record if isinstance(record, dict) else {}


def _is_private(folder: Path) -> bool:
    try:
        state = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and state.st_uid == os.getuid() and state.st_mode & 0o077 == 0


def says_unreadable(log: str) -> bool:
    """Say whether a server's last words mean that what is in its files cannot be loaded."""
    words = log.lower()
    if any(phrase in words for phrase in _NOT_THEIR_FAULT):
        return False
    return any(phrase in words for phrase in _UNREADABLE)
