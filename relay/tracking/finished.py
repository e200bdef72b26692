"""When an alert is finished, and since when: the pure part of archiving (design §9)."""

from __future__ import annotations

from collections.abc import Sequence

from relay.store.alerts import StoredAlert
from relay.store.legs import Leg

_ENDS = frozenset({"completed", "cancelled", "superseded", "expired", "rejected"})
_GOES_ON = frozenset({"accepted", "active"})
_TIMES = ("received", "planned", "decided", "done", "back")

#: For so long, in seconds, an alert waits for the node that accepted it; then any node may archive it.
OTHERS_TOO = 3600


def ended(alert: StoredAlert) -> bool:
    """Whether an alert is in a state that lasts, whatever its legs do."""
    return alert["state"] in _ENDS and not alert["waits"]


def finished_ms(alert: StoredAlert, legs: Sequence[Leg]) -> int | None:
    """Return when the alert and its last delivery came to their end, in milliseconds; None: not yet.

    One that came back from the archive counts from then: it came back because somebody needs it.
    """
    if not ended(alert) or not all(leg.facts.get("done") and leg.cursor.leased == 0 for leg in legs):
        return None
    return max([alert.number(name) for name in _TIMES] + [int(float(leg.facts["done"])) for leg in legs])


def is_mine(alert: StoredAlert, *, node: str, now_ms: int, since_ms: int) -> bool:
    """Whether this node archives an alert: the one that accepted it does, for its journal holds it too.

    When that node is silent for long and the alert's time is over, any other does.
    """
    if alert["node"] in ("", node):
        return True
    return now_ms > since_ms + OTHERS_TOO * 1000 and now_ms > alert.number("expires")


def is_needed(targets: Sequence[StoredAlert], referrers: Sequence[StoredAlert], *, now_ms: int) -> bool:
    """Whether an alert must stay for the sake of others.

    ``targets`` are those that it refers to and that are still in Redis: a Cancel must not go before what it cancelled,
    or that would come back from the journal, after a loss, as if nobody had said anything.  ``referrers`` are those
    that refer to it: while a Cancel is being sent, it is read from here who was told, and in which words.
    """
    if targets:
        return True
    return any(r["state"] in _GOES_ON or (r["state"] == "held" and r.number("expires") > now_ms) for r in referrers)


def note_seconds(alert: StoredAlert, *, nodes: int, now_ms: int, most: int) -> int:
    """Return how long a short note of an archived alert stays in Redis, for other nodes: while its time is not over."""
    if nodes < 2:
        return 0
    return max(0, min(most, (alert.number("expires") - now_ms) // 1000))
