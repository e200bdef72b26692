"""Situations as /status tells them: a calm one, one with trouble, one with Redis away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from relay.testing.clocks import START

CLASSES = ("P0", "P1", "P2", "P3", "P4", "PX")


def ago(seconds: float) -> str:
    return (START - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def alert(alert_id: str, **facts: Any) -> dict[str, Any]:
    return {
        "id": alert_id,
        "state": "active",
        "reason": None,
        "priority": "P2",
        "identifier": f"urn:{alert_id}",
        "status": "Actual",
        "msgType": "Alert",
        "event": "Strong wind",
        "headline": "",
        "areas": "Almaty region",
        "agency": "Hydromet",
        "mode": "live",
        "recipients": 0,
        "words": {},
        "received": ago(60),
        **facts,
    }


def channel(name: str, kind: str, **facts: Any) -> dict[str, Any]:
    base = {"name": name, "kind": kind, "state": "ok", "per_second": 0.0, "error": None, "error_age_s": None}
    return {**base, **facts}


def refused(agency: str, seconds: float, *rules: str, priority: str | None) -> dict[str, Any]:
    return {
        "at": ago(seconds),
        "age_s": seconds,
        "agency": agency,
        "status": 422,
        "problem": "validation-failed",
        "rules": list(rules),
        "priority": priority,
    }


WIND = alert(
    "wind",
    state="completed",
    recipients=4210,
    words={"acknowledged": 1204, "received": 3006},
    received=ago(5400),
)
DRILL = alert(
    "drill",
    state="completed",
    priority="PX",
    status="Exercise",
    event="Earthquake",
    recipients=40,
    words={"acknowledged": 31, "not reached": 9},
    received=ago(40_000),
)
QUAKE = alert(
    "quake",
    priority="P0",
    event="Earthquake",
    headline="Strong earthquake near Almaty",
    areas="Almaty; Talgar",
    agency="Seismology",
    recipients=412_480,
    words={
        "acknowledged": 41_210,
        "received": 212_400,
        "on the way": 128_970,
        "not reached": 26_012,
        "unknown": 3_888,
    },
    received=ago(95),
)
HELD = alert(
    "mudflow",
    state="held",
    reason="outside_jurisdiction",
    priority="P0",
    event="Mudflow",
    areas="Ozgon district",
    received=ago(100),
)
NOBODY = alert("nobody", state="completed", reason="no_recipients", priority="P1", event="Avalanche", areas="Shymbulak")

CALM: Mapping[str, Any] = {
    "time": ago(0),
    "alarms": [],
    "stale": False,
    "stopped": None,
    "alerts": [WIND, DRILL],
    "classes": {name: {"queued": 0, "oldest_s": 0.0} for name in CLASSES},
    "channels": [
        channel("mail", "email"),
        channel("sms-north", "sms", error="throttled", error_age_s=7300.0),
        channel("sms-south", "sms"),
        channel("webhook", "webhook", per_second=0.2),
    ],
    "held": [],
    "refused": [],
    "redis": {"available": True, "pending": 0},
    "journal": {
        "error": None,
        "waiting": 0,
        "last": 812,
        "fsync_ms": {"p50": 0.41, "p99": 2.2},
        "damaged": [],
    },
    "clock_trusted": True,
    "workers": [{"id": "w1-9f3a", "age_s": 0.3, "alive": True, "in_hand": 0}],
    "workers_expected": 1,
}

TROUBLE: Mapping[str, Any] = {
    **CALM,
    "alerts": [HELD, WIND, NOBODY, DRILL, QUAKE],
    "held": [HELD],
    "classes": {
        **CALM["classes"],
        "P0": {"queued": 128_970, "oldest_s": 94.0},
        "P3": {"queued": 20_310, "oldest_s": 1900.0},
    },
    "channels": [
        channel("mail", "email", per_second=812.4),
        channel("sms-north", "sms", per_second=41.0),
        channel("sms-south", "sms", state="failing", error="bind refused", error_age_s=12.0),
        channel("webhook", "webhook", state="paused"),
    ],
    "refused": [
        *(refused("Kyrgyz Hydromet", seconds, "CAP-031", priority="P0") for seconds in (200, 150, 90, 44)),
        refused("Water board", 1800, priority=None),
    ],
    "workers": [
        {"id": "w1-9f3a", "age_s": 0.3, "alive": True, "in_hand": 4000},
        {"id": "w2-77b0", "age_s": 48.0, "alive": False, "in_hand": 0},
    ],
    "workers_expected": 2,
}

DOWN: Mapping[str, Any] = {
    **CALM,
    "stale": True,
    "alerts": [],
    "redis": {"available": False, "pending": 3},
    "clock_trusted": False,
    "stopped": {"by": "k2abc", "reason": "wrong area", "at": None},
}
"""Redis is away, our clock is in doubt, and somebody has stopped everything."""
