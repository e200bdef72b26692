"""This node: its name, and the secret that acknowledgement links are signed with; kept in the data directory."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from relay.directory.egress import Guard
from relay.errors import ConfigError
from relay.secret_file import read_secret
from relay.settings import Settings

_ACK_SECRET = "ack.secret"  # noqa: S105 -- the name of a file
_SHORTEST = 32


@dataclass(frozen=True, slots=True)
class Node:
    """Who this is.  ``secret`` signs acknowledgement links, ``public_host`` is used in Message-IDs and as a sender."""

    name: str
    secret: bytes
    public_host: str


def read_node(data_dir: Path, settings: Settings) -> Node:
    """Read the node's name and secret, making them on the first start.

    Raises:
        ConfigError: ``ack_secret_file`` cannot be used.
    """
    name = _kept(data_dir / "node.id", secrets.token_hex(4).encode()).decode()
    secret = ack_secret(data_dir, settings) or keep_ack_secret(data_dir, secrets.token_hex(32).encode())
    return Node(name, secret, urlsplit(settings.base_url).hostname or "localhost")


def ack_secret(data_dir: Path, settings: Settings) -> bytes | None:
    """Return the secret of links: of ``ack_secret_file``, else as this node keeps it; None: it has none yet.

    Raises:
        ConfigError: the file cannot be read, or holds too little to be a secret.
    """
    kept = data_dir / _ACK_SECRET
    if not settings.ack_secret_file and not kept.exists():
        return None
    name = settings.ack_secret_file or str(kept)
    secret = read_secret(name, setting="ack_secret_file")
    if len(secret) < _SHORTEST:
        raise ConfigError(f"ack_secret_file: {name} holds fewer than {_SHORTEST} characters; 64 random ones are good")
    return secret.encode()


def keep_ack_secret(data_dir: Path, secret: bytes) -> bytes:
    """Keep the secret of links in the data directory; returns the one that is there, if another process was faster."""
    return _kept(data_dir / _ACK_SECRET, secret)


def guard_of(settings: Settings) -> Guard:
    """Return the guard for recipients' URLs; our own listening address is never a target."""
    own = [f"{settings.api.host}:{settings.api.port}"] if settings.api.port else []
    return Guard(allow=settings.egress.allow, own=own)


def _kept(path: Path, fresh: bytes) -> bytes:
    """Return the file's content; ``fresh`` if there was none.  Of two processes that start at once, one wins."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(file, "wb") as made:
        made.write(fresh)
        made.flush()
        os.fsync(made.fileno())
    return fresh
