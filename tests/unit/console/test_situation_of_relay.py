"""The page reads what the relay writes: both sides of the /status JSON keep to the same names."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import orjson

from relay.adapter import Class, Kind
from relay.console.alarms import alarms_of, alive
from relay.console.figures import Wall
from relay.console.page import status_page
from relay.console.situation import read
from relay.console.words import Say
from relay.store.alerts import StoredAlert
from relay.store.cursor import Cursor
from relay.store.legs import Leg
from relay.testing.clocks import START
from relay.tracking.states import State
from relay.tracking.status import Seen, status_json

NOW = START.timestamp()


def stored(alert_id: str, **facts: str) -> StoredAlert:
    given = {
        "id": alert_id,
        "state": "active",
        "class": "P1",
        "status": "Actual",
        "msgType": "Alert",
        "event": "Flood",
        "areas": "Osh; Uzgen",
        "agency": "Hydromet",
        "mode": "live",
        "received": str(int((NOW - 95) * 1000)),
        "recipients": "12",
    }
    return StoredAlert({**given, **facts})


def leg(counts: dict[State, int]) -> Leg:
    cursor = Cursor(klass=Class.P1, expires=(NOW + 900) * 1000, start=(NOW - 95) * 1000, sizes=(sum(counts.values()),))
    return Leg("leg", {"kind": "sms"}, cursor, counts)


def seen(**values: Any) -> Seen:
    sms = {"kind": "sms", "per_second": 4.5, "total": 9, "error": "bind refused", "error_at": NOW - 12}
    given: dict[str, Any] = {
        "now": NOW,
        "alerts": [
            (stored("flood"), [leg({State.DELIVERED: 7, State.QUEUED: 3, State.FAILED: 2})]),
            (stored("held", state="held", reason="clock_doubt", recipients="0", **{"class": "P0"}), []),
            (stored("nobody", state="completed", reason="no_recipients", recipients="0"), []),
        ],
        "waiting": {Class.P1: (3, (NOW - 95) * 1000)},
        "kinds": {"sms-a": Kind.SMS, "webhook": Kind.WEBHOOK},
        "workers": {
            "w1": {"at": NOW - 1, "in_hand": 3, "channels": {"sms-a": sms}},
            "w2": {"at": NOW - 60, "in_hand": 0, "channels": {}},
        },
        "switches": {},
        "refused": [{"at": NOW - 44, "agency": "Hydromet", "status": 422, "rules": ["CAP-031"], "priority": "P0"}],
        "stopped": False,
        "redis": {"available": True, "pending": 2},
        "journal": {"error": None, "fsync_ms": {"p50": 0.4, "p99": 2.2}, "damaged": []},
        "clock_trusted": True,
        "workers_expected": 2,
    }
    return Seen(**{**given, **values})


def test_alerts_and_queues_are_understood() -> None:
    """Class, age, people, five words; what waits and since when."""
    now = read(status_json(seen()))
    flood = next(row for row in now.alerts if row.alert_id == "flood")
    queue = next(queue for queue in now.queues if queue.klass == "P1")

    assert (flood.klass, flood.state, flood.recipients, flood.areas) == ("P1", "active", 12, "Osh; Uzgen")
    assert {word: count for word, count in flood.words.items() if count} == {
        "received": 7,
        "on the way": 3,
        "not reached": 2,
    }
    assert flood.received is not None
    assert (START - flood.received).total_seconds() == 95
    assert queue.queued == 3
    assert queue.oldest is not None
    assert (START - queue.oldest).total_seconds() == 95


def test_the_page_sees_the_trouble_that_the_relay_sees() -> None:
    """Each alarm of the JSON has one on the page, in the reader's words; none is shown twice."""
    status = status_json(seen())
    wall = Wall(START, UTC, "en")
    alarms = [alarm.code for alarm in alarms_of(read(status), Say("en"), wall)]

    assert {alarm["code"] for alarm in status["alarms"]} == {"held", "nobody", "refused", "channel_failing"}
    assert alarms == ["held", "nobody", "refused", "channel", "pending", "worker"]
    assert alive(read(status), wall) == 1


def test_a_stopped_relay_is_understood() -> None:
    """Who, why and since when; the channels stand with it and are not called broken."""
    told = orjson.dumps({"by": "k2abc", "reason": "wrong area", "at": "2026-03-01T05:59:00Z"}).decode()
    now = read(status_json(seen(switches={"stop": told})))

    assert now.stopped == {"by": "k2abc", "reason": "wrong area", "at": "2026-03-01T05:59:00Z"}
    assert {channel.state for channel in now.channels} == {"stopped"}
    assert not any(channel.broken for channel in now.channels)


def test_redis_away_is_understood() -> None:
    """The page knows that nobody knows."""
    away = seen(alerts=[], waiting={}, redis={"available": False, "pending": 2}, clock_trusted=False)
    status = status_json(away)
    codes = [alarm.code for alarm in alarms_of(read(status), Say("en"), Wall(START, UTC, "en"))]

    assert not read(status).redis_up
    assert codes == ["refused", "redis", "pending", "clock", "channel"]


def test_every_part_of_it_comes_to_the_page() -> None:
    """The whole way from what was read to what is seen."""
    html = status_page(status_json(seen()), language="en", now=START, refresh=None)

    for shown in (
        "Flood, Osh; Uzgen",
        "bind refused",
        "CAP-031",
        "0.4 ms",
        "not applied yet: 2",
        "w2",
        "expired by its",
    ):
        assert shown in html
