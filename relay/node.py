"""This node: its name, and the secret that acknowledgement links are signed with; kept in the data directory."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from relay.directory.egress import Guard
from relay.settings import Settings


@dataclass(frozen=True, slots=True)
class Node:
    """Who this is.  ``secret`` signs acknowledgement links, ``public_host`` is used in Message-IDs and as a sender."""

    name: str
    secret: bytes
    public_host: str


def read_node(data_dir: Path, settings: Settings) -> Node:
    """Read the node's name and secret, making them on the first start."""
    name = _kept(data_dir / "node.id", secrets.token_hex(4).encode()).decode()
    secret = _kept(data_dir / "ack.secret", secrets.token_hex(32).encode())
    return Node(name, secret, urlsplit(settings.base_url).hostname or "localhost")


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
