"""Variables that override settings: ``RELAY_SECTION__KEY``; a pure reading of what is given (design §14)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

import orjson

from relay.errors import ConfigError

_NOT_SETTINGS = frozenset({"RELAY_CONFIG"})


def override(values: dict[str, Any], given: Mapping[str, str], *, known: Collection[str]) -> None:
    """Lay the variables over the tables of a configuration file; ``known`` are the names that there are.

    Raises:
        ConfigError: a name that is not known, or one that stands for a table and not a setting.
    """
    for name, text in given.items():
        if not name.startswith("RELAY_") or name in _NOT_SETTINGS:
            continue
        keys = [part.lower() for part in name.removeprefix("RELAY_").split("__")]
        _check(name, keys, known)
        table = values
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{name}: {key} is not a table")
        table[keys[-1]] = _value(text)


def _check(name: str, keys: list[str], known: Collection[str]) -> None:
    if keys[0] == "channels" and len(keys) >= 3:
        return
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise ConfigError(f"the environment variable {name} is not a setting of the relay.{hint}")


def _value(text: str) -> object:
    """Read lists, tables, numbers and booleans as JSON; anything else is a string."""
    if text[:1] in "[{" or text in {"true", "false"}:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return text
