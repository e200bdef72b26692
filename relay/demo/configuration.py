"""The configuration of the demo's own relay."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from relay.demo.people import CROWD_PREFIX

PORT: Final = 18080
"""Tried first, so that the address is the same from run to run."""

LEASE: Final = 2.0
RECEIPT_DEADLINE: Final = 5.0
CROWD_RATE: Final = 4000
"""SMS parts a second to the crowd: ten seconds at least for all of them, so that a flash has something to overtake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everything of one run is: files below ``folder``, ports of loopback."""

    folder: Path
    api: int
    smsc: Mapping[str, object]
    smtp: int
    hooks: int

    @property
    def data(self) -> Path:
        """The data directory of the demo's relay."""
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.folder / "relay.toml"

    @property
    def log(self) -> Path:
        """What it says while it runs."""
        return self.folder / "relay.log"

    @property
    def crowd(self) -> Path:
        """What the crowd was told, one JSON object a line."""
        return self.folder / "crowd.jsonl"

    @property
    def report(self) -> Path:
        """The page of the first scene."""
        return self.folder / "report.html"

    @property
    def url(self) -> str:
        """The address of the demo's relay."""
        return f"http://127.0.0.1:{self.api}"


def to_toml(places: Places) -> str:
    """Return the configuration: real channels to the receivers on this machine, and short times for the kill."""
    sms = {**places.smsc, "source_addr": "1122", "two_way": True}
    lines = (
        "# Written by relay demo at every start.",
        f"data_dir = {_text(places.data)}",
        "[api]",
        f"port = {places.api}",
        "[egress]",
        f'allow = ["127.0.0.1:{places.hooks}"]',
        "[engine]",
        f"lease = {LEASE}",
        "lease_flash = 1.5",
        "fence = 2.0",
        "reconcile = 2.0",
        "slots = 4",
        "chunk = 100",
        *_channel("sms", "smpp", sms, f'lanes = ["live", "drill"]\nreceipt_deadline = {RECEIPT_DEADLINE}'),
        *_channel(
            "mail",
            "smtp",
            {"host": "127.0.0.1", "port": places.smtp, "tls": "none", "sender": "warning@meteo.example"},
            f"receipt_deadline = {RECEIPT_DEADLINE}",
        ),
        *_channel("webhook", "webhook", {}, ""),
        *_channel(
            "crowd",
            "console",
            {"kind": "sms", "path": str(places.crowd.absolute()), "verdict": "delivered"},
            f'order = 1\nmatch = ["{CROWD_PREFIX}"]\nrate = {CROWD_RATE}',
        ),
    )
    return "\n".join(lines) + "\n"


def _channel(name: str, adapter: str, settings: Mapping[str, object], more: str) -> tuple[str, ...]:
    rows = (f"{key} = {_text(value)}" for key, value in settings.items())
    return (f"[channels.{name}]", f'adapter = "{adapter}"', more, f"[channels.{name}.settings]", *rows)


def _text(value: object) -> str:
    """Return a value as TOML: JSON writes booleans, numbers and basic strings the same way."""
    return json.dumps(str(value.absolute()) if isinstance(value, Path) else value, ensure_ascii=False)


def free_port(wanted: int = 0) -> int:
    """Return ``wanted`` if nobody listens there on loopback, else a port that is free now."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port of loopback is free")


def claim_port(wanted: int, *, claims: Path) -> tuple[int, IO[bytes] | None]:
    """Return ``wanted`` and a claim on it, to be kept open, or another free port when a second demo has claimed it.

    Between looking and listening the port is nobody's; two demos that begin at once must not both take it.
    """
    claim = (claims / f"chapar-demo-{wanted}-{os.getuid()}.lock").open("wb")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        claim.close()
        return free_port(), None
    return free_port(wanted), claim
