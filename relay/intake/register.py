"""The register of authorities: who may post, known on this node without Redis.

The shared copy lives in Redis; ``keys.json`` in the data directory is the one that works without it.  Making and
revoking change the memory only: the caller journals the key's entry, then calls :meth:`Register.save` in a thread.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from relay.clock import Clock
from relay.errors import ConfigError, InvalidInput
from relay.intake.authority import Key, Mode, Role, check, from_entry
from relay.intake.credential import digest, from_header, key_id_of, mint

KEYS_FILE = "keys.json"
ADMIN_FILE = "admin.key"
_VERSION = 1
_NOBODY = digest(secrets.token_hex(32))  # compared when the key id is unknown, so that the work is the same


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its credential; the credential is shown once and kept nowhere."""

    key: Key
    credential: str = dataclasses.field(repr=False)


class Register:
    """All keys, by id.  :meth:`open` reads them; methods that touch the disk say so."""

    def __init__(self, data_dir: Path, *, clock: Clock) -> None:
        self._path = data_dir / KEYS_FILE
        self._admin_path = data_dir / ADMIN_FILE
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._seen: tuple[int, int] | None = None

    @classmethod
    def open(cls, data_dir: Path, *, clock: Clock) -> Register:
        """Read the register, or begin one with a random admin key in ``admin.key`` (blocks on the disk).

        An ``admin.key`` that is there already is kept, so that its holder stays in after ``keys.json`` was lost.

        Raises:
            ConfigError: ``keys.json`` or ``admin.key`` is damaged.
            OSError: the directory cannot be read or written.
        """
        register = cls(data_dir, clock=clock)
        if not register.refresh():
            register._begin()
        return register

    @property
    def admin_path(self) -> Path:
        """Where the first admin key is; its content is never printed or logged."""
        return self._admin_path

    def keys(self) -> tuple[Key, ...]:
        """Return every key, revoked ones too, oldest first."""
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created, key.key_id)))

    def get(self, key_id: str) -> Key | None:
        """Return a key, also a revoked one."""
        return self._keys.get(key_id)

    def create(
        self,
        *,
        role: Role,
        name: str,
        senders: Iterable[str] = (),
        mode: Mode = Mode.LIVE,
        strict: bool = False,
        area: str = "",
        hazards: Iterable[str] = (),
    ) -> NewKey:
        """Make a key in memory.

        Raises:
            InvalidInput: see :func:`relay.intake.authority.check`.
        """
        credential = mint()
        while key_id_of(credential) in self._keys:  # one in 10^12, but nobody gets somebody else's id
            credential = mint()
        now = self._clock.now()
        key = Key(
            key_id=key_id_of(credential),
            name=name,
            role=role,
            senders=tuple(senders),
            mode=mode,
            strict=strict,
            area=area,
            hazards=tuple(hazards),
            created=now,
            updated=now,
            hash=digest(credential),
        )
        check(key)
        self._keys[key.key_id] = key
        return NewKey(key, credential)

    def revoke(self, key_id: str) -> Key:
        """Revoke a key in memory, for ever; revoking twice changes nothing.

        Raises:
            InvalidInput: there is no such key (404 ``not-found``).
        """
        key = self._keys.get(key_id)
        if key is None:
            raise InvalidInput("not-found", "There is no key with this id.", status=404)
        if key.revoked is None:
            now = self._clock.now()
            key = self._keys[key_id] = dataclasses.replace(key, revoked=now, updated=now)
        return key

    def authenticate(self, header: str | None) -> Key | None:
        """Return the key of an ``Authorization`` header (Bearer, or Basic with the key as password), None for 401."""
        return self.authenticate_credential(from_header(header))

    def authenticate_credential(self, credential: str) -> Key | None:
        """Return the live key of a credential, or None; unknown, malformed and wrong ones take the same work."""
        key = self._keys.get(key_id_of(credential))
        matches = hmac.compare_digest(digest(credential), key.hash if key is not None else _NOBODY)
        return key if key is not None and matches and key.revoked is None else None

    def merge(self, entries: Iterable[Mapping[str, Any]]) -> frozenset[str]:
        """Take in entries from elsewhere: the newest ``updated`` wins, a revocation is final.  Return what changed.

        An entry that is no key is left out: one bad line must not lock everybody out.
        """
        changed = set()
        for entry in entries:
            with contextlib.suppress(ValueError):
                if self._take_in(from_entry(entry)):
                    changed.add(str(entry["key_id"]))
        return frozenset(changed)

    def _take_in(self, other: Key) -> bool:
        ours = self._keys.get(other.key_id)
        newest = other if ours is None or other.updated > ours.updated else ours
        revoked = _first(ours.revoked if ours is not None else None, other.revoked)
        merged = dataclasses.replace(newest, revoked=revoked)
        if merged == ours:
            return False
        self._keys[other.key_id] = merged
        return True

    def refresh(self) -> bool:
        """Take in ``keys.json`` when another process has changed it; False when there is none (blocks on the disk).

        Raises:
            ConfigError: the file is damaged.
        """
        try:
            stat = self._path.stat()
            if self._seen == (stat.st_mtime_ns, stat.st_ino):
                return True
            content = orjson.loads(self._path.read_bytes())
            entries = content["keys"]
            if content["version"] > _VERSION:
                raise ConfigError(f"{self._path} was written by a newer relay; this one cannot read it")
        except FileNotFoundError:
            return False
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{self._path} is damaged. Restore it from a backup, or remove it: keys come back from the journal"
                " and from Redis"
            ) from error
        self.merge(entries)
        self._seen = (stat.st_mtime_ns, stat.st_ino)
        return True

    def save(self) -> None:
        """Write ``keys.json`` in one step, mode 0600, with what another process wrote in the meantime (blocks).

        Raises:
            ConfigError: the file that is there is damaged; it is not overwritten.
            OSError: it cannot be written; the old file stays.
        """
        self.refresh()
        entries = [key.entry() for key in self.keys()]
        _replace(self._path, orjson.dumps({"version": _VERSION, "keys": entries}, option=orjson.OPT_INDENT_2))
        stat = self._path.stat()
        self._seen = (stat.st_mtime_ns, stat.st_ino)

    def _begin(self) -> None:
        """Register the admin key, and write it first when there is none."""
        try:
            credential = self._admin_path.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            credential = mint()
            _replace(self._admin_path, credential.encode() + b"\n")
        key_id = key_id_of(credential)
        if not key_id:
            raise ConfigError(f"{self._admin_path} holds no key. Remove it, and a new one is made at the next start")
        now = self._clock.now()
        self._keys[key_id] = Key(
            key_id=key_id, name="admin", role=Role.ADMIN, created=now, updated=now, hash=digest(credential)
        )
        self.save()


def _first(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _replace(path: Path, content: bytes) -> None:
    """Write a private file so that a reader sees the old one or the new one, also after a power cut."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
