"""What became of one alert: the answer of ``GET /v1/alerts/{id}`` (design §16, §18)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from relay.store.alerts import StoredAlert
from relay.store.legs import Leg
from relay.tracking.instants import utc, utc_or_none
from relay.tracking.states import FIVE_WORDS, State

#: Alert states after which ``?wait=`` has nothing more to wait for.
SETTLED = frozenset({"completed", "cancelled", "expired", "held", "superseded", "rejected"})

STATES = frozenset({*SETTLED, "accepted", "active"})

_TIMES = {"planned": "planned", "decided": "decided", "done": "ended"}


def counts(legs: Iterable[Leg]) -> dict[str, int]:
    """Return deliveries by their current state; zero counts are left out."""
    total: Counter[State] = Counter()
    for leg in legs:
        total.update(leg.counts)
    return {state.word: total[state] for state in State if total[state] > 0}


def five_words(legs: Iterable[Leg]) -> dict[str, int]:
    """Return deliveries by the five words for people, and ``not sent``; zero counts are left out."""
    total: Counter[str] = Counter()
    for leg in legs:
        for state, n in leg.counts.items():
            total[FIVE_WORDS[state]] += n
    return {word: n for word, n in total.items() if n > 0}


def brief(alert: StoredAlert, legs: Sequence[Leg]) -> dict[str, Any]:
    """Return one row of the list of alerts."""
    found = counts(legs)
    return {
        "id": alert["id"],
        "state": alert["state"],
        "reason": alert["reason"] or None,
        "priority": alert["class"],
        "identifier": alert["identifier"],
        "sender": alert["sender"],
        "sent": alert["sent"],
        "status": alert["status"],
        "msgType": alert["msgType"],
        "event": alert["event"],
        "headline": alert["headline"],
        "agency": alert["agency"],
        "mode": alert["mode"],
        "counts": found,
        "recipients": alert.number("recipients"),
        "deliveries": sum(found.values()),
        "times": times(alert),
    }


def times(alert: StoredAlert) -> dict[str, str]:
    """Return the instants of an alert that are known."""
    known = {"received": alert.number("received"), "expires": alert.number("expires")}
    known |= {word: alert.number(name) for name, word in _TIMES.items()}
    return {word: text for word, ms in known.items() if (text := utc_or_none(ms))}


def full(alert: StoredAlert, legs: Sequence[Leg], *, chain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole answer but its findings, which depend on the reader's language (:func:`findings`)."""
    return {
        **brief(alert, legs),
        "severity": alert["severity"],
        "areas": alert["areas"],
        "durability": {"journal": "fsync", "redis": "applied", "copies": 1},
        "duplicate": None,
        "chain": chain,
        "legs": [leg_json(leg) for leg in legs],
    }


def leg_json(leg: Leg) -> dict[str, Any]:
    """Return how far one leg is."""
    done = leg.facts.get("done")
    return {
        "id": leg.leg_id,
        "kind": leg.lane,
        "priority": str(leg.cursor.klass),
        "deliveries": leg.cursor.total,
        "counts": counts([leg]),
        "expires": utc(leg.cursor.expires),
        "ended": utc_or_none(float(done)) if done else None,
    }


def chain(
    alert: StoredAlert, *, references: Mapping[str, Sequence[str]], referrers: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return what an alert refers to and what refers to it.

    ``references`` are ids by the digest of each triple; a triple that nobody has posted here has none.
    """
    return {
        "references": sorted({alert_id for ids in references.values() for alert_id in ids}),
        "unknown_references": sum(not ids for ids in references.values()),
        "referred_by": [alert_id for _, alert_id in referrers],
        "cancelled_by": alert["cancelled_by"] or None,
        "superseded_by": alert["superseded_by"] or None,
    }


def findings(alert: StoredAlert, *, language: str) -> list[dict[str, Any]]:
    """Return what the rules said when the alert was accepted, in ``en`` or ``ru``."""
    stored: list[dict[str, Any]] = orjson.loads(alert["findings"] or "[]")
    for finding in stored:
        russian = finding.pop("message_ru", "")
        if language == "ru" and russian:
            finding["message"] = russian
    return stored
