"""Lists of the API, followed over their cursors as far as a person wants to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relay.commands.client import Client

MOST = 1_000
"""Rows in one answer of the API."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a list; ``more`` says that the list goes on."""

    rows: list[dict[str, Any]]
    more: bool


def read(client: Client, path: str, *, plural: str, params: Mapping[str, str], limit: int) -> Rows:
    """Return at most ``limit`` rows of the list ``{"<plural>": […], "next": cursor | null}``."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while len(rows) < limit:
        wanted = {**params, "limit": str(min(limit - len(rows), MOST))}
        document = client.get(path, params={**wanted, "cursor": cursor} if cursor else wanted).document()
        rows += document.get(plural, [])
        cursor = document.get("next") or ""
        if not cursor:
            return Rows(rows[:limit], more=len(rows) > limit)
    return Rows(rows[:limit], more=True)


def given(**params: str) -> dict[str, str]:
    """Return the parameters that have a value."""
    return {name: value for name, value in params.items() if value}
