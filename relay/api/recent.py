"""Alerts that this node accepted lately: what it can still say of them while Redis cannot be asked (design §18)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from aiohttp import web

MOST = 5_000


class Recent:
    """Answers by alert id, the oldest forgotten first."""

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._answers: OrderedDict[str, tuple[str, Mapping[str, Any]]] = OrderedDict()

    def add(self, alert_id: str, *, agency: str, answer: Mapping[str, Any]) -> None:
        """Remember the answer that ``agency`` got; the first one stays."""
        self._answers.setdefault(alert_id, (agency, answer))
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)

    def get(self, alert_id: str, *, agency: str | None) -> dict[str, Any] | None:
        """Return the answer with ``stale``; None when it is not known, or belongs to another than ``agency``."""
        owner, answer = self._answers.get(alert_id, ("", None))
        if answer is None or (agency is not None and owner != agency):
            return None
        return {**answer, "stale": True}


RECENT = web.AppKey("recent", Recent)
