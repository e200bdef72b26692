"""Query parameters, strictly: an unknown or doubled one is a mistake that somebody should hear of."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from relay.api.problems import Refused, refuse, shown

MOST = 1_000
DEFAULT = 100

_NONE: MultiDictProxy[str] = MultiDictProxy(MultiDict())  # nearly every request
_CURSOR = re.compile(r"[A-Za-z0-9._~-]{1,100}")


class Query:
    """The parameters of one request.

    Raises:
        Refused: 400 ``bad-parameter``: one is not ``known`` (None: ignore strangers), or is given twice.
    """

    def __init__(self, request: web.Request, known: Collection[str], *, strangers: bool = False) -> None:
        self._values = request.query if request.query_string else _NONE
        for name in set(self._values):
            if name not in known:
                if not strangers:
                    raise bad(f"“{shown(name)}” is no parameter here. Known are: {', '.join(sorted(known)) or 'none'}.")
            elif len(self._values.getall(name)) > 1:
                raise bad(f"{name} is given twice.")

    def text(self, name: str, *, most: int = 256) -> str:
        """Return a text, empty when it is not given."""
        value = self._values.get(name, "")
        if len(value) > most or not value.isprintable():
            raise bad(f"{name} is longer than {most} characters or holds a control character.")
        return value

    def choice(self, name: str, among: Collection[str]) -> str:
        """Return one of ``among``, empty when it is not given."""
        value = self._values.get(name, "")
        if name in self._values and value not in among:
            raise bad(f"{name} is one of {', '.join(sorted(among))}, not “{shown(value)}”.")
        return value

    def flag(self, name: str) -> bool:
        """Return ``true`` or ``false``; not given is false."""
        return self.choice(name, ("true", "false", "1", "0")) in ("true", "1")

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return a whole number between ``least`` and ``most``."""
        value = self._values.get(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdecimal() and len(value) <= 9 and least <= int(value) <= most):
            raise bad(f"{name} is a whole number from {least} to {most}, not “{shown(value)}”.")
        return int(value)

    def limit(self) -> int:
        """Return how many rows are wanted."""
        return self.number("limit", default=DEFAULT, least=1, most=MOST)

    def cursor(self) -> str:
        """Return the cursor, empty at the start."""
        value = self._values.get("cursor", "")
        if value and not _CURSOR.fullmatch(value):
            raise bad("cursor is not one that we gave. Begin without it.")
        return value

    def seconds(self, name: str, *, most: float) -> float:
        """Return a time in seconds, 0 when it is not given; more than ``most`` is cut."""
        value = self._values.get(name)
        if value is None:
            return 0.0
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", value, re.ASCII):
            raise bad(f"{name} is a number of seconds up to {most:g}, not “{shown(value)}”.")
        return min(float(value), most)

    def instant(self, name: str) -> datetime | None:
        """Return a time of RFC 3339, None when it is not given."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            # A plus in a query reads as a space unless it is escaped, and people forget that.
            found = datetime.fromisoformat(value.replace(" ", "+"))
        except ValueError as error:
            raise bad(f"{name} is a time such as 2026-03-01T04:30:00Z, not “{shown(value)}”.") from error
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def bad(detail: str) -> Refused:
    """Return the answer to a parameter that cannot be meant so."""
    return refuse("bad-parameter", 400, detail)
