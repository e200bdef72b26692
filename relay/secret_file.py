"""Secrets from files, so that they need not stand in a configuration or an environment."""

from __future__ import annotations

from pathlib import Path

from relay.errors import ConfigError


def read_secret(name: str, *, setting: str) -> str:
    """Return what a file holds, without blanks at its ends; ``setting`` is what named it.

    Raises:
        ConfigError: it cannot be read, or is empty.
    """
    try:
        secret = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"{setting}: {name} cannot be read: {why}") from error
    if not secret:
        raise ConfigError(f"{setting}: {name} is empty")
    return secret
