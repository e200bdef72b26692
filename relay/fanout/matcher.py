"""The matcher: who an alert is for, as the planner asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from relay.adapter import Kind
from relay.cap.model import Alert
from relay.fanout.plan import Pairs


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is to be told: how many people, and their deliveries by kind."""

    recipients: int
    pairs: Mapping[Kind, Pairs]


class Matcher(Protocol):
    """Finds the audience of an alert in the node's index."""

    async def match(self, alert: Alert, *, drill: bool) -> Audience:
        """Return who is to be told of ``alert``, from an index that knows every change made so far."""
        ...

    async def match_many(self, alerts: Sequence[tuple[Alert, bool]]) -> Sequence[Audience]:
        """Match several alerts, each with whether it is a drill."""
        ...
