"""The state of the whole relay in one value: what the status page, ``relay status`` and the metrics show (§18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from relay.adapter import Class, Kind
from relay.store.alerts import StoredAlert
from relay.store.legs import Leg
from relay.store.room import WAITS_FOR_MEMORY
from relay.store.switches import STOP
from relay.tracking.instants import utc
from relay.tracking.report import brief, five_words

#: A worker that has not been heard of for this long is not counted on, in seconds.
SILENT = 5.0
#: A channel's last error is shown as its state for this long, in seconds.
FRESH_ERROR = 60.0
#: Refusals older than this are not shown, in seconds.
REFUSED_FOR = 3600.0

_URGENT = frozenset({"P0", "P1"})
_TELLS = frozenset({"Alert", "Update"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read, all of it at ``now`` (seconds since the epoch).

    ``alerts`` are the newest and every held one, with their legs; ``waiting`` is, by class, how many deliveries wait
    and since when (ms, 0: none); ``stopped`` is this node's own word, ``switches`` the shared ones.  While Redis is
    away everything from there is empty and ``redis`` says so.  ``keeping`` are the figures of ``memory`` (``used``,
    ``limit``, ``reserve``) and of the ``archive`` (``alerts``, ``bytes``, ``error``), each if known.
    """

    now: float
    alerts: Sequence[tuple[StoredAlert, Sequence[Leg]]]
    waiting: Mapping[Class, tuple[int, float]]
    kinds: Mapping[str, Kind]
    workers: Mapping[str, Mapping[str, Any]]
    switches: Mapping[str, str]
    refused: Sequence[Mapping[str, Any]]
    stopped: bool
    redis: Mapping[str, Any]
    journal: Mapping[str, Any]
    clock_trusted: bool
    workers_expected: int = 0
    keeping: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def status_json(seen: Seen) -> dict[str, Any]:
    """Return the answer of ``GET /status``."""
    refused = [_aged(row, seen.now) for row in seen.refused if seen.now - row.get("at", 0) <= REFUSED_FOR]
    channels = channels_json(seen)
    held = [alert_json(alert, legs, seen.now) for alert, legs in seen.alerts if alert["state"] == "held"]
    return {
        "time": utc(seen.now * 1000),
        "alarms": _alarms(seen, channels, refused),
        "stale": not seen.redis.get("available"),
        "stopped": _told(seen.switches.get(STOP)) if _stopped(seen) else None,
        "alerts": [alert_json(alert, legs, seen.now) for alert, legs in seen.alerts],
        "classes": {str(klass): _waits(seen, klass) for klass in Class},
        "channels": channels,
        "held": held,
        "refused": refused,
        "redis": dict(seen.redis),
        "journal": dict(seen.journal),
        **{name: dict(figures) for name, figures in seen.keeping.items()},
        "clock_trusted": seen.clock_trusted,
        "workers": workers_json(seen.workers, now=seen.now),
        "workers_expected": seen.workers_expected,
    }


def alert_json(alert: StoredAlert, legs: Sequence[Leg], now: float) -> dict[str, Any]:
    """Return one alert with its age and the five words for people."""
    row = brief(alert, legs)
    received = alert.number("received")
    more = {"areas": alert["areas"], "received": utc(received), "age_s": _age(now, received / 1000)}
    return {**row, **more, "words": five_words(legs)}


def channels_json(seen: Seen) -> list[dict[str, Any]]:
    """Return every configured channel: ``state`` is ok, failing, paused, stopped or unknown (no worker is heard).

    A channel is failing for a while after a fault of its provider, and as long as a worker leaves it alone for that.
    """
    rows = []
    for name, kind in sorted(seen.kinds.items()):
        told = [w["channels"][name] for w in _alive(seen).values() if name in w.get("channels", {})]
        last: Mapping[str, Any] = max(told, key=lambda c: c.get("error_at", 0.0), default={})
        error, at = last.get("error", ""), last.get("error_at", 0.0)
        shut = any(c.get("open") for c in told)
        rows.append(
            {
                "name": name,
                "kind": str(kind),
                "state": _channel_state(
                    seen, name, heard=bool(told), failing=shut or (bool(error) and _recent(seen, at))
                ),
                "per_second": round(sum(c.get("per_second", 0.0) for c in told), 1),
                "error": error or None,
                "error_age_s": _age(seen.now, at) if error else None,
                **_paused(seen.switches.get(f"pause:{name}")),
            }
        )
    return rows


def workers_json(workers: Mapping[str, Mapping[str, Any]], *, now: float) -> list[dict[str, Any]]:
    """Return the workers that were heard of, each with the age of its last sign of life."""
    rows = []
    for worker_id, beat in sorted(workers.items()):
        age = _age(now, beat.get("at", 0.0))
        rows.append({"id": worker_id, "age_s": age, "alive": age <= SILENT, "in_hand": beat.get("in_hand", 0)})
    return rows


def _channel_state(seen: Seen, name: str, *, heard: bool, failing: bool) -> str:
    if _stopped(seen):
        return "stopped"
    if f"pause:{name}" in seen.switches:
        return "paused"
    if not heard:
        return "unknown"
    return "failing" if failing else "ok"


def _paused(switch: str | None) -> dict[str, Any]:
    return {} if switch is None else {"paused": _told(switch)}


def _told(switch: str | None) -> dict[str, Any]:
    """Return who set a switch, why and when, as far as that is known here."""
    try:
        told = orjson.loads(switch or "{}")
    except orjson.JSONDecodeError:
        told = {}
    return {name: told.get(name) for name in ("by", "reason", "at")}


def _alarms(
    seen: Seen, channels: Sequence[Mapping[str, Any]], refused: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [
        *_house(seen),
        *(_alarm("channel_failing", f"{c['name']}: {c['error']}") for c in channels if c["state"] == "failing"),
        *_of_alerts(seen),
        *(
            _alarm(
                "refused", f"{row.get('agency')}: refused, {row.get('problem')}. It would have been {row['priority']}."
            )
            for row in refused
            if row.get("priority") in _URGENT
        ),
    ]


def _house(seen: Seen) -> list[dict[str, Any]]:
    """Return what is wrong with the relay itself, the worst first."""
    found = []
    if seen.journal.get("error"):
        found.append(_alarm("journal", f"Nothing can be accepted: {seen.journal['error']}"))
    if _stopped(seen):
        found.append(_alarm("stopped", "All sending is stopped. Alerts are accepted and wait."))
    if not seen.redis.get("available"):
        found.append(_alarm("redis", "Redis is away. Alerts are accepted; nothing is sent until it is back."))
    elif not _alive(seen):
        found.append(_alarm("no_worker", "No worker is heard. Alerts are accepted; nothing is sent."))
    if not seen.clock_trusted:
        found.append(_alarm("clock", "Our clock cannot be trusted. Nothing is called expired."))
    told = [
        _alarm("worker", f"{name}: {said}") for name, beat in _alive(seen).items() for said in beat.get("trouble", ())
    ]
    return [*found, *told, *_keeping(seen)]


def _keeping(seen: Seen) -> list[dict[str, Any]]:
    found = []
    memory, archive = seen.keeping.get("memory", {}), seen.keeping.get("archive", {})
    waits = sum(alert["reason"] == WAITS_FOR_MEMORY for alert, _ in seen.alerts)
    if waits or (memory.get("limit") and memory["used"] > memory["limit"] * (1 - memory["reserve"])):
        part = f"{100 * memory['used'] // memory['limit']} %" if memory.get("limit") else "nearly"
        found.append(_alarm("memory", f"Redis is {part} full. Alerts below P1 wait for room: {waits}."))
    if archive.get("error"):
        found.append(_alarm("archive", f"Finished alerts cannot be archived: {archive['error']}"))
    return found


def _of_alerts(seen: Seen) -> list[dict[str, Any]]:
    found = []
    for alert, legs in seen.alerts:
        if alert["state"] == "held":
            said = alert["headline"] or alert["event"]
            found.append(_alarm("held", f"{alert['class']} waits for a decision: {said}", alert=alert["id"]))
        nobody = alert["state"] == "completed" and not legs and alert["msgType"] in _TELLS
        if nobody and alert["status"] == "Actual" and alert["mode"] != "test":
            found.append(_alarm("nobody", "An Actual alert matched nobody.", alert=alert["id"]))
    return found


def _alarm(code: str, message: str, **more: str) -> dict[str, Any]:
    return {"code": code, "message": message, **more}


def _alive(seen: Seen) -> dict[str, Mapping[str, Any]]:
    return {name: beat for name, beat in seen.workers.items() if _age(seen.now, beat.get("at", 0.0)) <= SILENT}


def _stopped(seen: Seen) -> bool:
    return seen.stopped or STOP in seen.switches


def _recent(seen: Seen, at: float) -> bool:
    return _age(seen.now, at) <= FRESH_ERROR


def _waits(seen: Seen, klass: Class) -> dict[str, float]:
    count, since = seen.waiting.get(klass, (0, 0.0))
    return {"queued": count, "oldest_s": _age(seen.now, since / 1000) if since else 0.0}


def _aged(row: Mapping[str, Any], now: float) -> dict[str, Any]:
    return {**row, "at": utc(row.get("at", 0) * 1000), "age_s": _age(now, row.get("at", 0))}


def _age(now: float, then: float) -> float:
    return round(max(0.0, now - then), 1)
