"""The configuration of the relay that is measured, as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_POSTS = 100_000_000

Value = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One ``[channels.<name>]``: its adapter, that adapter's settings, and what else the core is told of it."""

    name: str
    adapter: str
    settings: Mapping[str, Value]
    core: Mapping[str, Value] = field(default_factory=dict)


def to_toml(
    channels: tuple[Channel, ...], *, data_dir: Path, port: int, allow: tuple[str, ...] = (), extra: str = ""
) -> str:
    """Return a configuration: everything as delivered but what the arguments say."""
    lines = [
        f"data_dir = {_text(str(data_dir))}",
        extra,
        "[api]",
        f"port = {port}",
        # One key posts everything here; what it may post is still counted.
        f"posts_per_minute = {_POSTS}",
        "[egress]",
        f"allow = {_text(list(allow))}",
    ]
    for channel in channels:
        lines += [f"[channels.{channel.name}]", f"adapter = {_text(channel.adapter)}"]
        lines += [f"{name} = {_text(value)}" for name, value in channel.core.items()]
        lines += [f"[channels.{channel.name}.settings]"]
        lines += [f"{name} = {_text(value)}" for name, value in channel.settings.items()]
    return "\n".join(line for line in lines if line) + "\n"


def silent(name: str, *, kind: str = "sms", **core: Value) -> Channel:
    """Return a channel whose provider costs nothing and delivers at once."""
    return Channel(
        name=name,
        adapter="console",
        settings={"kind": kind, "silent": True, "verdict": "delivered"},
        core=core,
    )


def to_file(name: str, path: Path, *, kind: str = "sms", **core: Value) -> Channel:
    """Return a channel that writes one line per delivery to ``path``."""
    return Channel(
        name=name,
        adapter="console",
        settings={"kind": kind, "path": str(path), "verdict": "delivered"},
        core=core,
    )


def smpp(name: str, *, port: int, **settings: Value) -> Channel:
    """Return a channel to an SMS centre on loopback: one bind, a window of 50."""
    return Channel(
        name=name,
        adapter="smpp",
        settings={
            "host": "127.0.0.1",
            "port": port,
            "system_id": "chapar",
            "password": "secret",
            "window": 50,
            **settings,
        },
    )


def smtp(name: str, *, port: int, connections: int) -> Channel:
    """Return a channel to a mail server on loopback."""
    settings: dict[str, Value] = {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "warnings@meteo.example"}
    return Channel(name=name, adapter="smtp", settings={**settings, "connections": connections})


def _text(value: Value) -> str:
    """Return a value as TOML: JSON writes booleans, numbers, lists and basic strings the same way."""
    return json.dumps(value, ensure_ascii=False)
