"""The state of the whole relay."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from relay.adapter import Class, Kind
from relay.testing.clocks import START
from relay.tracking.states import State
from relay.tracking.status import Seen, channels_json, status_json
from tests.unit.tracking.conftest import MS, MakeLeg, MakeStored

NOW = START.timestamp() + 100
CHANNEL = {"kind": "sms", "per_second": 40.5, "total": 9, "error": "", "error_at": 0.0}
WORKER = {"at": NOW - 1, "in_hand": 3, "channels": {"sms-primary": CHANNEL}}


def seen(**values: Any) -> Seen:
    """Return a healthy relay; say only what is different."""
    given: dict[str, Any] = {
        "now": NOW,
        "alerts": [],
        "waiting": {},
        "kinds": {"sms-primary": Kind.SMS},
        "workers": {"w1": WORKER},
        "switches": {},
        "refused": [],
        "stopped": False,
        "redis": {"available": True, "pending": 0},
        "journal": {"error": None},
        "clock_trusted": True,
    }
    return Seen(**{**given, **values})


def codes(state: Seen) -> list[str]:
    """Return the codes of the alarms."""
    return [alarm["code"] for alarm in status_json(state)["alarms"]]


def test_a_worker_says_what_is_wrong_with_its_machine() -> None:
    """What differs on another machine is read here, with the worker's name."""
    said = "this machine's clock is +9.0 s off Redis"
    (alarm,) = status_json(seen(workers={"two-7": {**WORKER, "trouble": [said]}}))["alarms"]

    assert (alarm["code"], alarm["message"]) == ("worker", f"two-7: {said}")


def test_a_healthy_relay_has_no_alarm() -> None:
    """Without trouble there is nothing red."""
    status = status_json(seen())

    assert status["alarms"] == []
    assert status["time"] == "2026-03-01T06:01:40.000Z"
    assert status["workers"] == [{"id": "w1", "age_s": 1.0, "alive": True, "in_hand": 3}]
    assert status["channels"][0] == {
        "name": "sms-primary",
        "kind": "sms",
        "state": "ok",
        "per_second": 40.5,
        "error": None,
        "error_age_s": None,
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"journal": {"error": "no space"}}, "journal"),
        ({"stopped": True}, "stopped"),
        ({"switches": {"stop": "{}"}}, "stopped"),
        ({"redis": {"available": False, "pending": 3}}, "redis"),
        ({"workers": {}}, "no_worker"),
        ({"workers": {"w1": {**WORKER, "at": NOW - 60}}}, "no_worker"),
        ({"clock_trusted": False}, "clock"),
    ],
)
def test_what_is_wrong_with_the_relay_is_an_alarm(change: dict[str, Any], code: str) -> None:
    """Each way in which people would not be told is said in words."""
    assert codes(seen(**change)) == [code]


def test_alerts_that_need_a_person(make_stored: MakeStored, make_leg: MakeLeg) -> None:
    """A held alert and an Actual one that reached nobody are alarms; a drill or a test that did not are not."""
    alerts = [
        (make_stored(id="h", state="held", headline="Mudflow"), []),
        (make_stored(id="n", state="completed"), []),
        (make_stored(id="d", state="completed", status="Exercise"), []),
        (make_stored(id="t", state="completed", mode="test"), []),
        (make_stored(id="c", state="completed", msgType="Cancel"), []),
        (make_stored(id="f", state="completed"), [make_leg(counts={State.DELIVERED: 3})]),
    ]
    status = status_json(seen(alerts=alerts))

    assert [(alarm["code"], alarm["alert"]) for alarm in status["alarms"]] == [("held", "h"), ("nobody", "n")]
    assert [row["id"] for row in status["held"]] == ["h"]
    assert status["alerts"][-1]["words"] == {"received": 3}
    assert status["alerts"][-1]["age_s"] == 100.0


def test_refusals_of_the_last_hour() -> None:
    """A refused warning is shown for an hour, and is an alarm when it would have been urgent."""
    rows = [
        {"at": NOW - 10, "agency": "meteo", "problem": "bad-polygon", "priority": "P0"},
        {"at": NOW - 20, "agency": "meteo", "problem": "bad-polygon", "priority": "P4"},
        {"at": NOW - 4000, "agency": "meteo", "problem": "bad-polygon", "priority": "P0"},
    ]
    status = status_json(seen(refused=rows))

    assert [row["age_s"] for row in status["refused"]] == [10.0, 20.0]
    assert [alarm["code"] for alarm in status["alarms"]] == ["refused"]


def test_what_waits_has_its_age() -> None:
    """Each class says how much waits and since when."""
    status = status_json(seen(waiting={Class.P1: (7, MS + 90_000)}))

    assert status["classes"]["P1"] == {"queued": 7, "oldest_s": 10.0}
    assert status["classes"]["P0"] == {"queued": 0, "oldest_s": 0.0}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"workers": {"w1": {**WORKER, "channels": {"sms-primary": {**CHANNEL, "error": "bind refused", "error_at": NOW - 5}}}}}, "failing"),
        ({"workers": {"w1": {**WORKER, "channels": {"sms-primary": {**CHANNEL, "error": "old", "error_at": NOW - 500}}}}}, "ok"),
        ({"switches": {"pause:sms-primary": "{}"}}, "paused"),
        ({"switches": {"stop": "{}"}}, "stopped"),
        ({"workers": {}}, "unknown"),
    ],
)  # fmt: skip
def test_the_state_of_a_channel(change: dict[str, Any], state: str) -> None:
    """A channel is failing, paused, stopped or unheard of, and says which."""
    assert channels_json(seen(**change))[0]["state"] == state


def test_who_paused_a_channel() -> None:
    """A pause names who, why and when; an unreadable switch still holds."""
    told = orjson.dumps({"by": "k1", "reason": "costs", "at": "2026-03-01T06:00:00+00:00"}).decode()
    row = channels_json(seen(switches={"pause:sms-primary": told}))[0]
    odd = channels_json(seen(switches={"pause:sms-primary": "?"}))[0]

    assert row["paused"] == {"by": "k1", "reason": "costs", "at": "2026-03-01T06:00:00+00:00"}
    assert (odd["state"], odd["paused"]["by"]) == ("paused", None)


def test_several_workers_add_up() -> None:
    """Rates are of all workers; the newest error is shown."""
    other = {
        **WORKER,
        "channels": {"sms-primary": {**CHANNEL, "per_second": 1.5, "error": "timeout", "error_at": NOW - 3}},
    }
    row = channels_json(seen(workers={"w1": WORKER, "w2": other}))[0]

    assert (row["per_second"], row["error"], row["error_age_s"]) == (42.0, "timeout", 3.0)
